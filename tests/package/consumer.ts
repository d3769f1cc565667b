/** Uses the types of the package, as a TypeScript project does. It is compiled and never run. */
import { openPlayer, type EndCause, type State } from 'pixelfleet-player';
import 'pixelfleet-player/element';
import { PixelfleetPlayer } from 'pixelfleet-player/react';
import { createElement } from 'react';

const causeOf = (state: State): EndCause | undefined => (state.phase === 'ended' ? state.cause : undefined);

const element = document.createElement('pixelfleet-player');
element.addEventListener('player-state', ({ detail }) => causeOf(detail));
element.addEventListener('player-stats', ({ detail }) => detail.health.length);
element.setQuality('low');

const stop: () => void = openPlayer('https://play.example/', element).on('response', (text) => text.length);
createElement(PixelfleetPlayer, { src: 'https://play.example/', onState: causeOf });

// Each of these must be an error, so that the types are not all `any`.
// @ts-expect-error -- there is no such quality
element.setQuality('best');
// @ts-expect-error -- there is no such phase
element.state?.phase === 'gone';
// @ts-expect-error -- the address is missing
createElement(PixelfleetPlayer, {});
// @ts-expect-error -- Epic's object has no such method
openPlayer('https://play.example/', element).stream.nothing();

export { stop };
