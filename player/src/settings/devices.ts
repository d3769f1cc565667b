import { Flags } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { stopCapture, type CaptureDevices, type CaptureKind } from '../connection/capture_devices';
import { interpolate } from '../texts';
import { flagField, selectField } from './fields';
import type { SettingsHost } from './host';
import type { SettingsTexts } from './texts';

const FLAGS = { audio: Flags.UseMic, video: Flags.UseCamera } as const;
const KINDS = { audio: 'audioinput', video: 'videoinput' } as const;

/** The switch of a microphone or camera. Only a secure page has devices; on others it is hidden. */
export function captureSwitch(
  host: SettingsHost,
  devices: CaptureDevices,
  kind: CaptureKind,
  label: string,
  refused: string,
): HTMLElement {
  const { stream } = host;
  const flag = FLAGS[kind];
  const root = flagField(`setting-${flag}`, label, stream.config.isFlagEnabled(flag), (on) => {
    void apply(on);
  });
  const apply = async (on: boolean): Promise<void> => {
    if (!on) {
      host.choose(flag, false);
      stopCapture(stream.webRtcController.peerConnectionController.peerConnection, kind);
      return;
    }
    if (await devices.ask(kind)) {
      host.choose(flag, true);
      host.renegotiate();
    } else {
      host.notify(refused);
      const input = root.querySelector('input');
      if (input !== null) {
        input.checked = false;
      }
    }
  };
  return root;
}

/** The choice among several devices of a kind; none if there are fewer than two. */
export async function deviceFields(
  host: SettingsHost,
  devices: CaptureDevices,
  texts: SettingsTexts,
): Promise<readonly HTMLElement[]> {
  const found = await navigator.mediaDevices.enumerateDevices();
  const field = (kind: CaptureKind, label: string): readonly HTMLElement[] => {
    const known = found.filter((device) => device.kind === KINDS[kind] && device.deviceId !== 'default');
    if (known.length < 2) {
      return [];
    }
    // Browsers hide the labels until they have given access.
    const choices = known.map(({ deviceId, label: name }, index) => {
      return [deviceId, name === '' ? interpolate(texts['settings.device.number'], { number: index + 1 }) : name] as const;
    });
    const all = [['', texts['settings.device.default']] as const, ...choices];
    const choose = (deviceId: string): void => {
      devices.choose(kind, deviceId);
      if (host.stream.config.isFlagEnabled(FLAGS[kind])) {
        host.renegotiate();
      }
    };
    return [selectField(`setting-${kind}-device`, label, all, devices.chosen(kind), choose)];
  };
  return [
    ...field('audio', texts['settings.microphone-device']),
    ...field('video', texts['settings.camera-device']),
  ];
}

export function monoSwitch(host: SettingsHost, texts: SettingsTexts): HTMLElement {
  const { config } = host.stream;
  return flagField('setting-ForceMonoAudio', texts['settings.mono'], config.isFlagEnabled(Flags.ForceMonoAudio), (on) => {
    host.choose(Flags.ForceMonoAudio, on);
    host.renegotiate();
  });
}
