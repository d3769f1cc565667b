import type { StreamStats } from '../stats';
import { interpolate, type Texts } from '../texts';
import { formatNumber } from './figures';

type Row = readonly [label: string, value: string];

/** The result of a latency test, in milliseconds. */
export interface Latency {
  readonly network: number;
  readonly encode: number;
  readonly total: number;
}

/** Formats the statistics for the panel: rounded and with units. */
export function statsRows(
  stats: StreamStats | undefined,
  playingSeconds: number,
  gamepad: string | undefined,
  texts: Texts,
): readonly Row[] {
  const { width, height, framesPerSecond, kilobitsPerSecond, roundTripMs, lossPercent, framesDropped, codec, path } =
    stats ?? {};
  const orUnknown = (value: string | undefined): string => value ?? texts['panel.unknown'];
  const resolution = width === undefined || height === undefined ? undefined : `${String(width)} × ${String(height)}`;
  return [
    [texts['panel.picture'], orUnknown(resolution)],
    [texts['panel.rate'], orUnknown(withUnit(framesPerSecond, 0, '/s', texts))],
    [texts['panel.bitrate'], orUnknown(formatBitrate(kilobitsPerSecond, texts))],
    [texts['panel.round-trip'], orUnknown(withUnit(roundTripMs, 0, ' ms', texts))],
    [texts['panel.loss'], orUnknown(withUnit(lossPercent, 1, ' %', texts))],
    [texts['panel.dropped'], orUnknown(withUnit(framesDropped, 0, '', texts))],
    [texts['panel.codec'], orUnknown(codec)],
    [texts['panel.path'], orUnknown(path && texts[`panel.path.${path}`])],
    [texts['panel.time'], formatTime(playingSeconds)],
    [texts['panel.gamepad'], gamepad ?? texts['panel.gamepad.none']],
  ];
}

/** Formats the result of a latency test. */
export function latencyText(latency: Latency, texts: Texts): string {
  const { network, encode, total } = latency;
  return interpolate(texts['panel.latency.result'], {
    network: Math.round(network),
    encode: formatNumber(encode, encode < 10 ? 1 : 0, texts),
    total: Math.round(total),
  });
}

function withUnit(value: number | undefined, digits: number, unit: string, texts: Texts): string | undefined {
  return value === undefined ? undefined : `${formatNumber(value, digits, texts)}${unit}`;
}

function formatBitrate(kilobits: number | undefined, texts: Texts): string | undefined {
  return kilobits === undefined || kilobits < 1000
    ? withUnit(kilobits, 0, ' kbit/s', texts)
    : withUnit(kilobits / 1000, 1, ' Mbit/s', texts);
}

/** Formats seconds as `m:ss` or `h:mm:ss`. */
function formatTime(seconds: number): string {
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours === 0 ? `${String(minutes)}:${twoDigits(whole % 60)}` : `${String(hours)}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`;
}
