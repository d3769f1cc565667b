// A page on the UI library, with the player library that it depends on.
import { Config, PixelStreaming } from 'library';
import { Application, PixelStreamingApplicationStyle } from 'ui';
import { settings } from './settings.js';

const style = new PixelStreamingApplicationStyle();
style.applyStyleSheet();
const stream = new PixelStreaming(new Config(settings));
const application = new Application({ stream, onColorModeChanged: (light) => style.setColorMode(light) });
document.body.appendChild(application.rootElement);
window.pixelStreaming = stream;
