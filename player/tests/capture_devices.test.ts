import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptureDevices } from '../src/connection/capture_devices';

class Overconstrained extends Error {}

beforeEach(() => {
  vi.stubGlobal('OverconstrainedError', Overconstrained);
});

describe('CaptureDevices', () => {
  it('add the chosen device to the requests of the library', async () => {
    const open = vi.fn().mockResolvedValue({});
    const devices = { getUserMedia: open };
    new CaptureDevices(devices).choose('audio', 'two');
    await devices.getUserMedia({ video: false, audio: { channelCount: 1 } });
    expect(open).toHaveBeenCalledWith({ video: false, audio: { channelCount: 1, deviceId: { exact: 'two' } } });
  });

  it('use the default device in place of one that was unplugged', async () => {
    const open = vi.fn().mockRejectedValueOnce(new Overconstrained()).mockResolvedValue({});
    const devices = { getUserMedia: open };
    new CaptureDevices(devices).choose('video', 'gone');
    await devices.getUserMedia({ video: true });
    expect(open).toHaveBeenLastCalledWith({ video: true });
  });

  it('report that the user has refused', async () => {
    const devices = { getUserMedia: vi.fn().mockRejectedValue(new DOMException('no', 'NotAllowedError')) };
    expect(await new CaptureDevices(devices).ask('audio')).toBe(false);
  });
});
