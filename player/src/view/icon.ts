/** Points an SVG `use` at one of the drawings in index.html. */
export function showIcon(use: Element, name: string): void {
  use.setAttribute('href', `#icon-${name}`);
}
