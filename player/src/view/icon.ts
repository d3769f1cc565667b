/** Shows one of the icons in index.html in an SVG `use` element. */
export function showIcon(use: Element, name: string): void {
  use.setAttribute('href', `#icon-${name}`);
}
