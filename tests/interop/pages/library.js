// A page on the library alone, as small as the library permits. Its URL has the settings (`?ss=ws://host:port/path`).
import { Config, PixelStreaming } from 'library';
import { settings } from './settings.js';

const player = document.body.appendChild(document.createElement('div'));
player.id = 'player';
window.pixelStreaming = new PixelStreaming(new Config(settings), { videoElementParent: player });
