/**
 * The texts of the folded part of the settings panel, which loads when the panel is first opened. `../texts.ts` has all
 * others. The keys are part of the format of `branding.json`, so they are never renamed.
 */
export const SETTINGS_TEXTS = {
  'settings.resolution-scale': 'Resolution scale in %',
  'settings.codec': 'Video codec',
  'settings.fps': 'Highest frame rate',
  'settings.bitrate.max': 'Highest bitrate in kbit/s',
  'settings.bitrate.min': 'Lowest bitrate in kbit/s',
  'settings.quality.max': 'Highest picture quality in %',
  'settings.quality.min': 'Lowest picture quality in %',
  'settings.layer': 'Layer of the stream',
  'settings.quality-owner': 'My network sets the quality',
  'settings.devices': 'Sound and devices',
  'settings.microphone-device': 'Microphone in use',
  'settings.camera': 'Camera',
  'settings.camera-device': 'Camera in use',
  'settings.device.default': 'Default device',
  'settings.device.number': 'Device {number}',
  'settings.device.refused': 'Your browser gives no access to this device.',
  'settings.mono': 'Mono sound',
  'settings.input': 'Keyboard, mouse and gamepad',
  'settings.keyboard': 'Keyboard input',
  'settings.mouse-input': 'Mouse input',
  'settings.touch': 'Touch input',
  'settings.touch-mouse': 'Touches act as a mouse',
  'settings.gamepad': 'Gamepad input',
  'settings.xr': 'VR controller input',
  'settings.browser-keys': 'Keep browser keys such as F5 for the stream',
  'settings.all-keys': 'Keep all keys in full screen, hold Escape to leave',
  'settings.gamepad.state': '{name}: buttons {buttons}, axes {axes}',
  'settings.gamepad.idle': 'none',
  'settings.tools': 'Tools',
  'settings.screenshot': 'Save screenshot',
  'settings.screenshot.failed': 'There is no picture to save.',
  'settings.paste': 'Paste text',
  'settings.paste.refused': 'Your browser does not allow this page to read the clipboard.',
  'settings.paste.empty': 'The clipboard has no text.',
  'settings.pasted': 'Text sent',
  'settings.vr': 'Enter VR',
  'settings.keyframe': 'Refresh picture',
  'settings.show-fps': 'Show frame rate',
  'settings.restart': 'Restart stream',
  'settings.figures': 'All figures',
  'settings.files.asked': 'The application asks for a file, up to {size}. Drop it here or choose one.',
  'settings.files.choose': 'Choose file',
  'settings.files.close': 'Not now',
  'settings.files.sent': 'Sent: {name}',
  'settings.files.refused': 'The application does not accept this file: its type or its size does not fit.',
  'settings.files.failed': 'The file could not be sent.',
} as const;

export type SettingsTextKey = keyof typeof SETTINGS_TEXTS;

export type SettingsTexts = Readonly<Record<SettingsTextKey, string>>;

/** The texts with those of `branding.json` in place of the page's own. */
export function settingsTexts(overrides: Partial<SettingsTexts>): SettingsTexts {
  const texts: Record<SettingsTextKey, string> = { ...SETTINGS_TEXTS };
  for (const key of Object.keys(texts) as SettingsTextKey[]) {
    texts[key] = overrides[key] ?? texts[key];
  }
  return texts;
}
