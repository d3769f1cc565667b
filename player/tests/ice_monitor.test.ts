import { describe, expect, it, vi } from 'vitest';
import { MAX_FAILED_ATTEMPTS, IceMonitor } from '../src/connection/ice_monitor';

/** A peer connection of which only the states matter. */
class Connection extends EventTarget {
  connectionState = 'connecting';
  iceConnectionState = 'checking';
  remoteDescription: object | null = {};

  fail(): void {
    this.connectionState = 'failed';
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

function setUp(): { way: IceMonitor; news: { broken: () => void; kind: () => void }; follow: () => Connection } {
  const news = { broken: vi.fn(), kind: vi.fn() };
  const way = new IceMonitor(news);
  const follow = (): Connection => {
    const connection = new Connection();
    way.follow(connection as unknown as RTCPeerConnection);
    return connection;
  };
  return { way, news, follow };
}

describe('IceMonitor', () => {
  it('gives up at once where there never was a way', () => {
    const { way, news, follow } = setUp();
    follow();
    expect(way.missed()).toBe(false);
    expect(news.kind).toHaveBeenCalledExactlyOnceWith('none');
  });

  it('looks again for some time after a picture, and counts anew after the next one', () => {
    const { way } = setUp();
    for (const _ of ['a picture', 'another']) {
      way.found();
      for (let tries = 1; tries < MAX_FAILED_ATTEMPTS; tries += 1) {
        expect(way.missed()).toBe(true);
      }
    }
    expect(way.missed()).toBe(false);
  });

  it('takes a person who starts over for a first visit', () => {
    const { way } = setUp();
    way.found();
    way.reset();
    expect(way.missed()).toBe(false);
  });

  it('tells once of each connection that there was no way', () => {
    const { way, news, follow } = setUp();
    follow();
    way.missed();
    way.missed();
    expect(news.kind).toHaveBeenCalledTimes(1);
    follow();
    way.missed();
    expect(news.kind).toHaveBeenCalledTimes(2);
  });

  it('hears of the newest connection only, and of none that was given up', () => {
    const { way, news, follow } = setUp();
    const old = follow();
    const newest = follow();
    old.fail();
    expect(news.broken).not.toHaveBeenCalled();
    newest.fail();
    expect(news.broken).toHaveBeenCalledTimes(1);
    way.drop();
    newest.fail();
    expect(news.broken).toHaveBeenCalledTimes(1);
  });

  it('is cut once offer and answer are exchanged, and until there is a way', () => {
    const { way, follow } = setUp();
    expect(way.isCut).toBe(false);
    const connection = follow();
    expect(way.isCut).toBe(true);
    connection.iceConnectionState = 'connected';
    expect(way.isCut).toBe(false);
    connection.iceConnectionState = 'failed';
    expect(way.isCut).toBe(true);
    connection.remoteDescription = null;
    expect(way.isCut).toBe(false);
  });
});
