import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { describe, expect, it, vi } from 'vitest';
import { StreamerSelection } from '../src/connection/streamer_selection';
import { useFakeTimers } from './fake_timers';

interface Fixture {
  selection: StreamerSelection;
  select: () => void;
  send: () => void;
  onEmpty: () => void;
  /** Passes a streamer list to the page; `selected` is the library's own choice. */
  list: (ids: readonly string[], selected?: string) => void;
}

function setUp(): Fixture {
  const [select, send, onEmpty] = [vi.fn(), vi.fn(), vi.fn()];
  let listener: ((event: unknown) => void) | undefined;
  const stream = {
    addEventListener: (_type: string, added: (event: unknown) => void): void => {
      listener = added;
    },
    config: { setOptionSettingValue: select },
    signallingProtocol: { sendMessage: send },
  };
  const selection = new StreamerSelection(stream as unknown as PixelStreaming, onEmpty);
  const list = (ids: readonly string[], selected = ''): void => {
    listener?.({ data: { autoSelectedStreamerId: selected, messageStreamerList: { ids } } });
  };
  return { selection, select, send, onEmpty, list };
}

describe('StreamerSelection', () => {
  useFakeTimers();

  it('selects the first streamer of a list', () => {
    const { list, select } = setUp();
    list(['one', 'two']);
    expect(select).toHaveBeenCalledExactlyOnceWith('StreamerId', 'one');
  });

  it("keeps the library's own choice", () => {
    const { list, select, onEmpty } = setUp();
    list(['one'], 'one');
    expect(select).not.toHaveBeenCalled();
    expect(onEmpty).not.toHaveBeenCalled();
  });

  it('requests the list again while it is empty, until it is stopped', () => {
    const { selection, list, send, onEmpty } = setUp();
    list([]);
    expect(onEmpty).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(3_000);
    expect(send).toHaveBeenCalledTimes(1);
    list([]);
    selection.stop();
    vi.advanceTimersByTime(3_000);
    expect(send).toHaveBeenCalledTimes(1);
  });
});
