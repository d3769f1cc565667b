import type { AggregatedStats } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { create } from './fields';
import { updateList } from '../view/dom';

/** The groups of the library's statistics, by the names of its own object. */
type Source = Pick<
  AggregatedStats,
  | 'inboundVideoStats'
  | 'inboundAudioStats'
  | 'outboundVideoStats'
  | 'outboundAudioStats'
  | 'datachannelStats'
  | 'sessionStats'
  | 'getActiveCandidatePair'
>;

/** Rows of one group: WebRTC's own names, which are the same in each language. */
export type FigureGroups = readonly (readonly [title: string, rows: readonly (readonly [string, string])[]])[];

/** All figures of the library that are known, in groups; empty groups are omitted. */
export function allFigures(source: Source): FigureGroups {
  const groups: readonly (readonly [string, unknown])[] = [
    ['session', source.sessionStats],
    ['inbound video', source.inboundVideoStats],
    ['inbound audio', source.inboundAudioStats],
    ['outbound video', source.outboundVideoStats],
    ['outbound audio', source.outboundAudioStats],
    ['data channel', source.datachannelStats],
    ['candidate pair', source.getActiveCandidatePair()],
  ];
  return groups.map(([title, values]) => [title, rowsOf(values)] as const).filter(([, rows]) => rows.length > 0);
}

function rowsOf(values: unknown): readonly (readonly [string, string])[] {
  if (typeof values !== 'object' || values === null) {
    return [];
  }
  return Object.entries(values).flatMap(([name, value]) => {
    const text = format(value);
    return text === undefined ? [] : [[name, text] as const];
  });
}

function format(value: unknown): string | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? String(Number(value.toFixed(3))) : undefined;
  }
  return typeof value === 'string' && value !== '' ? value : typeof value === 'boolean' ? String(value) : undefined;
}

/** Shows all figures as lists with headings. */
export function drawFigures(target: HTMLElement, groups: FigureGroups): void {
  while (target.children.length > groups.length) {
    target.lastElementChild?.remove();
  }
  for (const [index, [title, rows]] of groups.entries()) {
    const section = target.children[index] ?? target.appendChild(newSection());
    const [heading, list] = section.children;
    if (heading !== undefined && heading.textContent !== title) {
      heading.textContent = title;
    }
    if (list instanceof HTMLElement) {
      updateList(list, rows);
    }
  }
}

function newSection(): HTMLElement {
  const section = create('section', '');
  section.append(create('h3', ''), create('dl', 'figures'));
  return section;
}
