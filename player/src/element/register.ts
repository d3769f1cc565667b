/** Registers the element when it is imported: `import 'pixelfleet-player/element'`. */
import { definePlayer } from './pixelfleet_player';

export * from './pixelfleet_player';

definePlayer();
