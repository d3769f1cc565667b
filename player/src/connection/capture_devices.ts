/** A device that sends to the application. */
export type CaptureKind = 'audio' | 'video';

/**
 * The microphone and the camera that the user has chosen.
 *
 * The library opens the default devices at each negotiation and has no setting for others. Its requests therefore pass
 * through this class, which adds the chosen device.
 */
export class CaptureDevices {
  readonly #chosen = new Map<CaptureKind, string>();
  readonly #open: (constraints?: MediaStreamConstraints) => Promise<MediaStream>;

  constructor(devices: Pick<MediaDevices, 'getUserMedia'>) {
    this.#open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (constraints) => this.#openChosen(constraints ?? {});
  }

  /** @param deviceId - of `enumerateDevices`; an empty one is the default device */
  choose(kind: CaptureKind, deviceId: string): void {
    this.#chosen.set(kind, deviceId);
  }

  chosen(kind: CaptureKind): string {
    return this.#chosen.get(kind) ?? '';
  }

  /** Opens the chosen device and closes it again, for the browser's question; returns whether that worked. */
  async ask(kind: CaptureKind): Promise<boolean> {
    try {
      const stream = await this.#openChosen({ [kind]: true });
      for (const track of stream.getTracks()) {
        track.stop();
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Opens the chosen devices; one that was unplugged is replaced by the default one. */
  async #openChosen(constraints: MediaStreamConstraints): Promise<MediaStream> {
    try {
      return await this.#open(this.#withChosen(constraints));
    } catch (error) {
      if (error instanceof OverconstrainedError) {
        return await this.#open(constraints);
      }
      throw error;
    }
  }

  #withChosen(constraints: MediaStreamConstraints): MediaStreamConstraints {
    const result: MediaStreamConstraints = { ...constraints };
    for (const kind of ['audio', 'video'] as const) {
      const wanted = constraints[kind];
      const deviceId = this.chosen(kind);
      if (wanted !== undefined && wanted !== false && deviceId !== '') {
        // Without "exact", Chromium prefers a device that fits the library's other constraints.
        result[kind] = { ...(typeof wanted === 'object' && wanted), deviceId: { exact: deviceId } };
      }
    }
    return result;
  }
}

/** Stops sending a device to the application, and closes it. */
export function stopCapture(connection: RTCPeerConnection | undefined, kind: CaptureKind): void {
  for (const sender of connection?.getSenders() ?? []) {
    if (sender.track?.kind === kind) {
      sender.track.stop();
      void sender.replaceTrack(null);
    }
  }
}
