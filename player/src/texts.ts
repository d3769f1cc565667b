/**
 * Every text of the page, under the names by which a branding file replaces them. `{name}` stands for a value that
 * the page fills in. A text ending in `.one` is for a count of exactly one.
 */
export const DEFAULT_TEXTS = {
  'page.name': 'Pixelfleet',
  'page.stage': 'Live stream. {shortcut} opens its controls.',

  'step.connect': 'Connect',
  'step.queue': 'Queue',
  'step.start': 'Start',

  'connecting.title': 'Connecting',
  'connecting.detail': 'Looking for the stream.',

  'queued.title': 'You are in the queue',
  'queued.next': 'You are next',
  'queued.anywhere': 'Waiting for a free stream',
  'queued.hint': 'Keep this page open. The stream starts by itself when it is your turn.',
  'queued.place': 'Your place',
  'queued.ahead': 'Ahead of you',
  'queued.wait': 'Wait, about',
  'queued.wait.unknown': '–',
  'queued.tab': '{place} in the queue',
  'queued.say.place': 'You are number {place} in the queue.',
  'queued.say.ahead': '{count} people are ahead of you.',
  'queued.say.ahead.one': 'One person is ahead of you.',
  'queued.say.wait': 'The wait is about {wait}.',

  'duration.seconds': '{count} s',
  'duration.minutes': '{count} min',
  'duration.hours': '{count} h',

  'starting.title': 'Starting the stream',
  'starting.detail': 'A stream is yours. The picture comes in a moment.',

  'blocked.title': 'Ready to play',
  'blocked.detail': 'The browser asks for a click before it plays.',

  'playing.say': 'The stream plays. {shortcut} opens its controls.',

  'reconnecting.title': 'Reconnecting',
  'reconnecting.detail': 'The connection was lost. The stream comes back by itself.',
  'reconnecting.title.early': 'Still connecting',
  'reconnecting.detail.early': 'This takes longer than usual. The page keeps trying.',

  'cut.title': 'Your network blocks the video',
  'cut.detail': 'No way through it has been found so far.',

  'waiting.hint': 'Keep this page open. It tries again by itself.',
  'waiting.no-streamer.title': 'No stream is running right now',
  'waiting.no-streamer.detail': 'None is free, or one is just being started.',
  'waiting.full.title': 'Every place is taken',
  'waiting.full.detail': 'More people want to come in than there is room for.',
  'waiting.closing.title': 'The stream is being closed',
  'waiting.closing.detail': 'Another one takes its place soon.',
  'waiting.queue-timeout.title': 'No stream came free in time',
  'waiting.queue-timeout.detail': 'You are put into the queue again.',
  'waiting.too-fast.title': 'A moment, please',
  'waiting.too-fast.detail': 'Too much came from here at once.',
  'waiting.no-service.title': 'The service is not ready',
  'waiting.no-service.detail': 'It is starting, or a part of it cannot be reached.',

  'ended.over.title': 'Your session is over',
  'ended.over.detail': 'Thank you for being here. You can start another one.',
  'ended.left.title': 'The stream has ended',
  'ended.left.detail': 'The application ended the connection. You can start another session.',
  'ended.kicked.title': 'You were removed from this session',
  'ended.kicked.detail': 'The host ended your part in it. Ask the host if you want to come back.',
  'ended.not-allowed.title': 'You are not allowed in here',
  'ended.not-allowed.detail': 'Sign in, or ask for a new link: this one is not valid, or no longer.',
  'ended.refused.title': 'This stream cannot be joined',
  'ended.refused.detail': 'It does not exist, or takes nobody else.',
  'ended.unreachable.title': 'The server cannot be reached',
  'ended.unreachable.detail': 'Check the connection to the network, then try again.',
  'ended.no-video.title': 'No picture arrived',
  'ended.no-video.detail': 'All was agreed, and then nothing came. Another attempt may help.',
  'ended.network.title': 'Your network blocks the video',
  'ended.network.detail':
    'A firewall or a VPN between here and the stream lets no video through. Try another network, such as a phone’s, or ask whoever runs this one.',
  'ended.link.title': 'This link leads to another server',
  'ended.link.detail': 'The page connects only to servers that its operator has named, and this one is not among them.',
  'ended.unsupported.title': 'This browser cannot play the stream',
  'ended.unsupported.detail':
    'It has no WebRTC, or WebRTC is switched off. A current Chrome, Edge, Firefox or Safari can play it.',
  'ended.reference': 'Code {code}',

  'action.start-again': 'Start again',
  'action.try-again': 'Try again',
  'action.try-now': 'Try now',
  'action.play': 'Play',
  'action.copy-link': 'Copy the link',
  'action.copied': 'Copied',

  'notice.ending': 'This stream will end soon.',
  'notice.ending.why': 'This stream will end soon: {reason}',
  'notice.gamepad': 'Gamepad connected',
  'notice.gamepad.gone': 'Gamepad disconnected',

  'controls.label': 'Stream controls',
  'controls.open': 'Show the controls',
  'controls.close': 'Hide the controls',
  'controls.unmute': 'Turn the sound on',
  'controls.mute': 'Turn the sound off',
  'controls.tap-to-unmute': 'Turn the sound on',
  'controls.fullscreen': 'Full screen',
  'controls.fullscreen.leave': 'Leave full screen',
  'controls.keyboard': 'On-screen keyboard',
  'controls.panel': 'Quality and statistics',

  'text-entry.label': 'Text for the application',
  'text-entry.send': 'Send',
  'text-entry.close': 'Close',

  'panel.title': 'Quality and statistics',
  'panel.close': 'Close',
  'panel.health.good': 'Good connection',
  'panel.health.fair': 'Fair connection',
  'panel.health.poor': 'Poor connection',
  'panel.health.unknown': 'Measuring the connection',
  'panel.picture': 'Picture',
  'panel.rate': 'Frames',
  'panel.bitrate': 'Bit rate',
  'panel.round-trip': 'Round trip',
  'panel.loss': 'Lost packets',
  'panel.dropped': 'Dropped frames',
  'panel.codec': 'Codec',
  'panel.path': 'Path',
  'panel.path.direct': 'direct',
  'panel.path.relay': 'through a relay',
  'panel.time': 'Playing for',
  'panel.unknown': 'unknown',
  'panel.quality': 'Picture quality',
  'panel.quality.auto': 'Automatic',
  'panel.quality.high': 'High, up to 20 Mbit/s',
  'panel.quality.medium': 'Medium, up to 8 Mbit/s',
  'panel.quality.low': 'Save data, up to 2 Mbit/s',
  'panel.match': 'Render at the size of this window',
  'panel.latency': 'Latency',
  'panel.latency.test': 'Test the latency',
  'panel.latency.testing': 'Testing',
  'panel.latency.none': 'The application did not answer.',
  'panel.latency.result': '{total} ms in all: {network} ms network, {encode} ms encoding',
  'panel.gamepad': 'Gamepad',
  'panel.gamepad.none': 'none connected',
  'panel.shortcut': '{shortcut} opens the controls, Escape closes them.',
  'panel.licences': 'Licences',
} as const;

export type TextKey = keyof typeof DEFAULT_TEXTS;

export type Texts = Readonly<Record<TextKey, string>>;

/** Puts `values` where a text names them; a name that has no value stays as it is. */
export function interpolate(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? whole : String(value);
  });
}

/** Whether `name` is the name of one of the page's texts. */
export function isTextKey(name: string): name is TextKey {
  return Object.hasOwn(DEFAULT_TEXTS, name);
}
