import { WebXRController } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { keyMessagesForEdit } from '../input/key_messages';
import { buttonField } from './fields';
import type { SettingsHost } from './host';
import { save, screenshotName, takeScreenshot } from './screenshot';
import type { SettingsTexts } from './texts';

/** The longest text that is pasted, in characters; a longer one is truncated. */
export const MAX_PASTED = 10_000;

/** The buttons that do something once. */
export function toolButtons(host: SettingsHost, texts: SettingsTexts): readonly HTMLElement[] {
  const { stream } = host;
  const screenshot = async (): Promise<void> => {
    const image = await takeScreenshot(stream.webRtcController.videoPlayer.getVideoElement());
    if (image === undefined) {
      host.notify(texts['settings.screenshot.failed']);
    } else {
      save(image, screenshotName(new Date()));
    }
  };
  const vr = buttonField('setting-vr', texts['settings.vr'], () => {
    stream.toggleXR();
  });
  vr.hidden = true;
  void WebXRController.isSessionSupported('immersive-vr').then((isSupported) => {
    vr.hidden = !isSupported;
  });
  const paste = buttonField('setting-paste', texts['settings.paste'], () => pasteText(host, texts));
  paste.hidden = !('clipboard' in navigator); // undefined on a page that was loaded over plain http
  return [
    buttonField('setting-screenshot', texts['settings.screenshot'], screenshot),
    paste,
    vr,
    buttonField('setting-keyframe', texts['settings.keyframe'], () => stream.requestIframe()),
    buttonField('setting-show-fps', texts['settings.show-fps'], () => stream.requestShowFps()),
    buttonField('setting-restart', texts['settings.restart'], () => {
      host.renegotiate();
    }),
  ];
}

/** Sends the text of the user's clipboard to the application as typed characters. */
async function pasteText(host: SettingsHost, texts: SettingsTexts): Promise<void> {
  let text: string;
  try {
    text = (await navigator.clipboard.readText()).replace(/\r\n?/g, '\n').slice(0, MAX_PASTED);
  } catch {
    host.notify(texts['settings.paste.refused']);
    return;
  }
  for (const { message, values } of keyMessagesForEdit('', text)) {
    host.stream.toStreamerHandlers.get(message)?.([...values]);
  }
  host.notify(texts[text === '' ? 'settings.paste.empty' : 'settings.pasted']);
}
