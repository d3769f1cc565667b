import { Flags } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { create } from './fields';
import type { SettingsHost } from './host';

/** The volume of the stream in percent; moving it turns the sound on, and 0 turns it off. */
export function volumeField(host: SettingsHost): HTMLElement {
  const { stream } = host;
  const video = stream.webRtcController.videoPlayer.getVideoElement();
  const audio = stream.webRtcController.streamController.audioElement;
  const root = create('div', 'field');
  const label = create('label', '');
  label.htmlFor = 'setting-volume';
  label.textContent = host.texts()['panel.volume'];
  const slider = create('input', '');
  Object.assign(slider, { id: 'setting-volume', type: 'range', min: '0', max: '100', step: '5' });
  const show = (): void => {
    slider.value = video.muted ? '0' : String(Math.round(video.volume * 100));
  };
  slider.addEventListener('input', () => {
    const volume = slider.valueAsNumber / 100;
    const isMuted = volume === 0;
    // The setting as well, so that the choice survives a reconnect.
    stream.config.setFlagEnabled(Flags.StartVideoMuted, isMuted);
    for (const player of [video, audio]) {
      player.volume = isMuted ? player.volume : volume;
      player.muted = isMuted;
    }
    if (!isMuted) {
      stream.play();
    }
  });
  video.addEventListener('volumechange', () => {
    if (document.activeElement !== slider) {
      show();
    }
  });
  show();
  root.append(label, slider);
  return root;
}
