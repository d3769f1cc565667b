import {
  createElement,
  forwardRef,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  type HTMLAttributes,
  type RefObject,
} from 'react';
import type { State, StreamStats } from '../core';
import { definePlayer, TAG, type PixelfleetPlayerElement, type PixelfleetPlayerEventMap } from './pixelfleet_player';

export interface PixelfleetPlayerProps extends HTMLAttributes<PixelfleetPlayerElement> {
  /** The address of the player page, with its URL parameters. Another address starts another session. */
  readonly src: string;
  /** An access token of the issuer; a player that was refused tries again with another one. */
  readonly token?: string | undefined;
  /** Called with each new state. */
  readonly onState?: (state: State) => void;
  /** Called about once a second while video plays. */
  readonly onStats?: (stats: StreamStats) => void;
  /** Called with what the application sends over the data channel. */
  readonly onResponse?: (text: string) => void;
}

/** The element `<pixelfleet-player>` as a React component. Its `ref` is the element, with all methods. */
export const PixelfleetPlayer = forwardRef<PixelfleetPlayerElement, PixelfleetPlayerProps>(function PixelfleetPlayer(
  { token, onState, onStats, onResponse, ...attributes },
  ref,
) {
  const element = useRef<PixelfleetPlayerElement>(null);
  useImperativeHandle<PixelfleetPlayerElement | null, PixelfleetPlayerElement | null>(ref, () => element.current, []);
  // The element opens its stream after this commit, so no event is missed.
  useEvent(element, 'player-state', onState);
  useEvent(element, 'player-stats', onStats);
  useEvent(element, 'player-response', onResponse);
  useLayoutEffect(definePlayer, []);
  useLayoutEffect(() => {
    if (element.current !== null) {
      element.current.token = token;
    }
  }, [token]);
  return createElement(TAG, { ...attributes, ref: element });
});

/** Calls `listener` with the detail of each event, always the listener of the latest rendering. */
function useEvent<Name extends keyof PixelfleetPlayerEventMap>(
  element: RefObject<PixelfleetPlayerElement | null>,
  name: Name,
  listener: ((detail: PixelfleetPlayerEventMap[Name]['detail']) => void) | undefined,
): void {
  const latest = useRef(listener);
  useLayoutEffect(() => {
    latest.current = listener;
  });
  useLayoutEffect(() => {
    const { current } = element;
    const onEvent = (event: PixelfleetPlayerEventMap[Name]): void => {
      latest.current?.(event.detail);
    };
    current?.addEventListener(name, onEvent);
    return (): void => {
      current?.removeEventListener(name, onEvent);
    };
  }, [element, name]);
}
