import type { StreamStats } from '../stats';
import { interpolate, type Texts } from '../texts';

type Row = readonly [label: string, value: string];

/** What is known of a latency test, in milliseconds. */
export interface Latency {
  readonly network: number;
  readonly encode: number;
  readonly total: number;
}

/** The statistics as a person reads them: rounded, with their units, the unknown named as such. */
export function statsRows(figures: StreamStats | undefined, playingSeconds: number, gamepad: string | undefined, texts: Texts): readonly Row[] {
  const { width, height, framesPerSecond, kilobitsPerSecond, roundTripMs, lossPercent, framesDropped, codec, path } =
    figures ?? {};
  const shown = (value: string | undefined): string => value ?? texts['panel.unknown'];
  return [
    [texts['panel.picture'], shown(width === undefined || height === undefined ? undefined : `${String(width)} × ${String(height)}`)],
    [texts['panel.rate'], shown(measure(framesPerSecond, 0, '/s'))],
    [texts['panel.bitrate'], shown(bitrate(kilobitsPerSecond))],
    [texts['panel.round-trip'], shown(measure(roundTripMs, 0, ' ms'))],
    [texts['panel.loss'], shown(measure(lossPercent, 1, ' %'))],
    [texts['panel.dropped'], shown(measure(framesDropped, 0, ''))],
    [texts['panel.codec'], shown(codec)],
    [texts['panel.path'], shown(path && texts[`panel.path.${path}`])],
    [texts['panel.time'], clock(playingSeconds)],
    [texts['panel.gamepad'], gamepad ?? texts['panel.gamepad.none']],
  ];
}

/** A latency test's result in one sentence. */
export function latencyText(latency: Latency, texts: Texts): string {
  const { network, encode, total } = latency;
  return interpolate(texts['panel.latency.result'], {
    network: Math.round(network),
    encode: encode.toFixed(encode < 10 ? 1 : 0),
    total: Math.round(total),
  });
}

function measure(value: number | undefined, digits: number, unit: string): string | undefined {
  return value === undefined ? undefined : `${value.toFixed(digits)}${unit}`;
}

function bitrate(kilobits: number | undefined): string | undefined {
  if (kilobits === undefined) {
    return undefined;
  }
  return kilobits < 1000 ? `${kilobits.toFixed(0)} kbit/s` : `${(kilobits / 1000).toFixed(1)} Mbit/s`;
}

/** Seconds as `m:ss` or `h:mm:ss`. */
function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours === 0 ? `${String(minutes)}:${two(whole % 60)}` : `${String(hours)}:${two(minutes)}:${two(whole % 60)}`;
}
