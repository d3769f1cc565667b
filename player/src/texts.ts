import type { SettingsTextKey } from './settings/texts';

/**
 * The texts of the page, in English; `settings/texts.ts` has those that load with the settings, and `languages/` the
 * translations of both. The keys are part of the format of `branding.json`, so they are never renamed. `{name}` is a
 * placeholder. A key that ends in `.one` is for a count of one; translations add `.zero`, `.two`, `.few` and `.many` where
 * their language has such a plural form. A key that contains `.say` is for screen readers only.
 */
export const DEFAULT_TEXTS = {
  /** The language tag of these texts: it sets the direction of the page, the plural forms and the format of numbers. */
  'page.language': 'en',
  'page.name': 'Pixelfleet',
  'page.stage': 'Live stream. Press {shortcut} to open the controls.',
  'page.stage.touch': 'Live stream. The controls are after it.',

  'step.connect': 'Connect',
  'step.queue': 'Queue',
  'step.start': 'Start',

  'connecting.title': 'Connecting',
  'connecting.detail': 'This usually takes a few seconds.',

  'queued.title': 'You are in the queue',
  'queued.next': 'You are next',
  'queued.anywhere': 'Waiting for a free stream',
  'queued.unserved': 'No stream is available',
  'queued.unserved.detail': 'At the moment no server offers what you want to see.',
  'queued.unserved.hint': 'Keep this page open. The stream starts automatically when a server offers it.',
  'queued.hint': 'Keep this page open. The stream starts automatically when it is your turn.',
  'queued.place': 'Your position',
  'queued.ahead': 'Ahead of you',
  'queued.wait': 'Est. wait',
  'queued.wait.unknown': '–',
  'queued.tab': 'No. {place} in the queue',
  'queued.say.place': 'You are number {place} in the queue.',
  'queued.say.ahead': '{count} people are ahead of you.',
  'queued.say.ahead.one': 'One person is ahead of you.',
  'queued.say.wait': 'The estimated wait is {wait}.',

  // {duration} is the number with its unit in the page's language, and {count} the number.
  'duration.seconds': '{duration}',
  'duration.minutes': '{duration}',
  'duration.hours': '{duration}',

  'starting.title': 'Starting the stream',
  'starting.detail': 'The video appears in a few seconds.',

  'blocked.title': 'Ready to play',
  'blocked.detail': 'Your browser blocks automatic playback. Select Play to start.',

  'paused.title': 'The video is paused',
  'paused.detail': 'Your browser has paused it. Select Play to continue.',

  'playing.say': 'The stream is playing. Press {shortcut} to open the controls.',
  'playing.say.touch': 'The stream is playing. The controls are after it.',

  'reconnecting.title': 'Reconnecting',
  'reconnecting.detail': 'The connection was lost. The stream resumes automatically.',
  'reconnecting.title.early': 'Still connecting',
  'reconnecting.detail.early': 'This is taking longer than usual. The page keeps trying.',
  'reconnecting.detail.lasting': 'The server has not responded yet. The page keeps trying.',

  'cut.title': 'Your network blocks the video',
  'cut.detail': 'No working connection has been found yet.',

  'waiting.hint': 'Keep this page open. It tries again automatically.',
  'waiting.no-streamer.title': 'No stream is available',
  'waiting.no-streamer.detail': 'All streams are offline or still starting.',
  'waiting.full.title': 'All places are taken',
  'waiting.full.detail': 'The service has reached its maximum number of connections.',
  'waiting.closing.title': 'The server is shutting down',
  'waiting.closing.detail': 'The page connects to another server shortly.',
  'waiting.queue-timeout.title': 'No stream became free in time',
  'waiting.queue-timeout.detail': 'The page rejoins the queue automatically.',
  'waiting.too-fast.title': 'Too many requests',
  'waiting.too-fast.detail': 'Your device or network sent too many requests. Wait a moment.',
  'waiting.no-service.title': 'The service is unavailable',
  'waiting.no-service.detail': 'It may be starting, or a part of it cannot be reached.',
  'waiting.upgrade.title': 'A proxy blocks the connection',
  'waiting.upgrade.detail':
    'The server can be reached, but WebSocket connections do not arrive. Most likely a proxy on the way removes their Upgrade header.',
  'waiting.upgrade.hint':
    'Turn off your VPN or try another network. If that does not help, tell the operator of this page: the proxy must let WebSocket connections through.',
  'waiting.gateway.title': 'The service does not respond',
  'waiting.gateway.detail': 'A proxy in front of the service answers in its place. The service may be starting or stopped.',

  'ended.over.title': 'Your session has ended',
  'ended.over.detail': 'You can start a new session.',
  'ended.left.title': 'The stream has ended',
  'ended.left.detail': 'The application closed the connection. You can start a new session.',
  'ended.kicked.title': 'You were removed from this session',
  'ended.kicked.detail': 'The host ended your session. Contact the host to join again.',
  'ended.elsewhere.title': 'Your session continues in another window',
  'ended.elsewhere.detail': 'It was opened there after this page. You can continue it here instead.',
  'ended.time-over.title': 'Your time is over',
  'ended.time-over.detail': 'This session has reached its longest time. You can start a new session.',
  'ended.session-full.title': 'This session is full',
  'ended.session-full.detail': 'It admits no more people. Try again when somebody has left.',
  'ended.idle.title': 'Your session has ended',
  'ended.idle.detail': 'There was no input for a while. You can start a new session.',
  'ended.not-allowed.title': 'Access denied',
  'ended.not-allowed.detail': 
    'Your link or sign-in has expired, or does not include this stream. Sign in again or ask for a new link.',
  'ended.sign-in.title': 'Sign in to play',
  'ended.sign-in.detail': 'You are not signed in, or your account does not include this stream.',
  'ended.too-many-sessions.title': 'You are playing elsewhere',
  'ended.too-many-sessions.detail':
    'Your account or organization has reached its number of simultaneous sessions. End another one, then try again.',
  'ended.no-minutes.title': 'Your playing time for today is used up',
  'ended.no-minutes.detail': 'Your account or organization has a number of minutes a day. Come back tomorrow.',
  'ended.refused.title': 'You cannot join this stream',
  'ended.refused.detail': 'It does not exist or accepts no more players. Try again later, or ask for a new link.',
  'ended.origin.title': 'This page may not connect',
  'ended.origin.detail':
    'The server accepts no players from the address of this page. Tell the operator of this page: its address is missing in the allowed origins.',
  'ended.not-found.title': 'This stream was not found',
  'ended.not-found.detail':
    'Your link names an application or a session that does not exist or has ended. Check the link or ask for a new one.',
  'ended.incompatible.title': 'The connection was rejected',
  'ended.incompatible.detail':
    'This page and the server did not understand each other. Reload the page to get its current version. If that does not help, contact the operator of this page.',
  'ended.unreachable.title': 'The server cannot be reached',
  'ended.unreachable.detail': 'Check your internet connection, then try again.',
  'ended.no-video.title': 'No video received',
  'ended.no-video.detail':
    'The stream was connected, but no video arrived. Try again. If that does not help, tell the operator of this page.',
  'ended.codec.title': 'This browser cannot play the video',
  'ended.codec.detail':
    'The stream uses a video codec that this browser does not support. Open the link in another browser.',
  'ended.codec.detail.named':
    'The stream uses the video codec {codec}, which this browser does not support. Open the link in another browser.',
  'ended.codec.hint.h264':
    'Firefox needs the OpenH264 plugin for H.264: turn it on at "Add-ons and themes", "Plugins", then try again.',
  'ended.configuration.title': 'The connection settings are invalid',
  'ended.configuration.detail':
    'This browser refused the settings for the video connection that the server sent. Try again later, or report this to the operator of this page.',
  'ended.network.title': 'Your network blocks the video',
  'ended.network.detail':
    'A firewall or VPN blocks the video connection. Try another network, such as mobile data, or ask your network administrator.',
  'ended.link.title': 'This link is not allowed',
  'ended.link.detail': 'It names a server that the operator of this page has not approved. Ask for a new link.',
  'ended.unsupported.title': 'This browser cannot play the stream',
  'ended.unsupported.detail':
    'WebRTC is missing or turned off. Use a current version of Chrome, Edge, Firefox or Safari.',
  'ended.reference': 'Code {code}',
  'ended.reference.error': 'Code {code}: {error}',

  'action.start-again': 'Play again',
  'action.continue-here': 'Continue here',
  'action.try-again': 'Try again',
  'action.try-now': 'Try now',
  'action.play': 'Play',
  'action.sign-in': 'Sign in',
  'action.reload': 'Reload page',
  'action.copy-link': 'Copy link',
  'action.copied': 'Copied',
  'action.copy-failed': 'Your browser does not allow this page to copy. Select and copy the link: {link}',

  'notice.ending': 'This stream will end soon.',
  'notice.ending.why': 'This stream will end soon: {reason}',
  'notice.away': 'Reconnecting',
  'countdown.time': 'The time of this session is almost over.',
  'countdown.idle': 'Are you still there? Without input, your session ends.',
  'countdown.say': '{seconds} seconds are left.',
  'countdown.say.one': '{seconds} second is left.',
  'countdown.stay': 'I am still here',
  'notice.gamepad': 'Gamepad connected',
  'notice.gamepad.gone': 'Gamepad disconnected',

  'controls.label': 'Stream controls',
  'controls.open': 'Show controls',
  'controls.close': 'Hide controls',
  'controls.unmute': 'Turn sound on',
  'controls.mute': 'Turn sound off',
  'controls.tap-to-unmute': 'Turn sound on',
  'controls.fullscreen': 'Full screen',
  'controls.fullscreen.leave': 'Exit full screen',
  'controls.keyboard': 'On-screen keyboard',
  'controls.panel': 'Settings and statistics',
  'controls.leave': 'Leave the stream',

  'controls.people': 'People and invites',

  'people.title': 'People in this session',
  'people.close': 'Close',
  'people.count': '{count} of {limit} people',
  'people.role.host': 'Host',
  'people.role.guest': 'Guest',
  'people.role.spectator': 'Spectator',
  'people.unnamed.host': 'Host',
  'people.unnamed.guest': 'Guest {number}',
  'people.unnamed.spectator': 'Spectator {number}',
  'people.you': 'you',
  'people.muted': 'input off',
  'people.away': 'reconnecting',
  'people.mute': 'Turn input off',
  'people.unmute': 'Turn input on',
  'people.hand-over': 'Make host',
  'people.hand-over.confirm': 'You become a guest?',
  'people.remove': 'Remove',
  'people.remove.confirm': 'Really remove?',
  'people.invite.title': 'Invite somebody',
  'people.invite.role': 'The person may',
  'people.invite.spectator': 'watch only',
  'people.invite.guest': 'play along',
  'people.invite.name': 'Name (optional)',
  'people.invite.valid': 'Link is valid for',
  'people.invite.valid.hour': '1 hour',
  'people.invite.valid.day': '1 day',
  'people.invite.valid.week': '1 week',
  'people.invite.once': 'For one person only',
  'people.invite.make': 'Create link',
  'people.invite.link': 'Invite link',
  'people.invite.made': 'The link is ready. It ends with this session.',
  'people.invite.failed': 'No link was made. Try again.',
  'people.invite.failed.why': 'No link was made: {reason}.',
  'people.invite.copy-failed': 'Your browser does not allow this page to copy. Copy the selected link.',
  'notice.people.guest': 'You have joined this session as a guest.',
  'notice.people.spectator': 'You are watching this session. Your input has no effect.',
  'notice.people.host': 'You are the host of this session now.',
  'notice.people.handed-over': 'You are a guest of this session now.',
  'notice.people.muted': 'The host has turned off your input.',
  'notice.people.unmuted': 'The host has turned on your input.',

  'text-entry.label': 'Text for the application',
  'text-entry.send': 'Send',
  'text-entry.close': 'Close',

  'panel.title': 'Settings and statistics',
  'panel.close': 'Close',
  'panel.health.good': 'Good connection',
  'panel.health.fair': 'Fair connection',
  'panel.health.poor': 'Poor connection',
  'panel.health.unknown': 'Measuring connection',
  'panel.picture': 'Resolution',
  'panel.rate': 'Frame rate',
  'panel.bitrate': 'Bitrate',
  'panel.round-trip': 'Round trip',
  'panel.loss': 'Packet loss',
  'panel.dropped': 'Dropped frames',
  'panel.codec': 'Codec',
  'panel.path': 'Connection',
  'panel.path.direct': 'direct',
  'panel.path.relay': 'relayed',
  'panel.time': 'Playing time',
  'panel.unknown': 'unknown',
  'panel.quality': 'Video quality',
  'panel.quality.auto': 'Automatic',
  'panel.quality.high': 'High, up to 20 Mbit/s',
  'panel.quality.medium': 'Medium, up to 8 Mbit/s',
  'panel.quality.low': 'Low, up to 2 Mbit/s',
  'panel.volume': 'Volume',
  'panel.mouse': 'Mouse',
  'panel.mouse.hover': 'Free, moves over the picture',
  'panel.mouse.locked': 'Captured after a click',
  'panel.microphone': 'Microphone',
  'panel.picture-settings': 'Picture',
  'panel.statistics': 'Statistics',
  'panel.unavailable': 'This part of the page could not be loaded. Reload the page.',
  'panel.match': 'Match the size of this window',
  'panel.latency': 'Latency',
  'panel.latency.test': 'Test latency',
  'panel.latency.testing': 'Testing…',
  'panel.latency.unsent': 'The application is not connected. Reload the page if this lasts.',
  'panel.latency.none': 'The application did not respond.',
  'panel.latency.result': '{total} ms ({network} ms network, {encode} ms encoding)',
  'panel.gamepad': 'Gamepad',
  'panel.gamepad.none': 'none connected',
  'panel.shortcut': '{shortcut} opens the controls, Escape closes them.',
  'panel.licences': 'Licences',
  'panel.signed-in': 'Signed in as {name}',
  'panel.sign-out': 'Sign out',
} as const;

export type TextKey = keyof typeof DEFAULT_TEXTS;

/** A text with a count, which has a plural form for each plural category of its language. */
type CountedKey = { [Key in TextKey]: Key extends `${infer Counted}.one` ? Counted : never }[TextKey];

type PluralKey = `${CountedKey & TextKey}.${Exclude<Intl.LDMLPluralRule, 'one' | 'other'>}`;

/** The texts in use. Those of the settings are present where a translation or `branding.json` replaces them. */
export type Texts = Readonly<Record<TextKey, string> & Partial<Record<PluralKey | SettingsTextKey, string>>>;

/** Texts that replace others. */
export type TextOverrides = Partial<Texts>;

/** Replaces the placeholders of a text; one without a value stays as it is. */
export function interpolate(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? placeholder : String(value);
  });
}

/** Returns the plural form of a text for `count`, with its placeholders replaced. */
export function plural(
  key: CountedKey & TextKey,
  count: number,
  texts: Texts,
  values: Readonly<Record<string, string | number>> = { count },
): string {
  const category = new Intl.PluralRules(texts['page.language']).select(count);
  const form = category === 'other' ? undefined : texts[`${key}.${category}`];
  return interpolate(form ?? texts[key], values);
}

/** Whether `key` is the key of one of the page's texts, or of a plural form that English does not have. */
export function isTextKey(key: string): key is keyof Texts {
  return Object.hasOwn(DEFAULT_TEXTS, key.replace(/\.(zero|two|few|many)$/, '.one'));
}

/** Turns a text, such as a server's reason, into a sentence: with a capital letter and a full stop. */
export function sentence(text: string | undefined): string | undefined {
  if (text === undefined || text === '') {
    return undefined;
  }
  const capitalized = text.charAt(0).toUpperCase() + text.slice(1);
  return /[\p{Sentence_Terminal}…]$/u.test(capitalized) ? capitalized : `${capitalized}.`;
}
