/**
 * An element that the page is written with.
 *
 * @throws Error when index.html has no such element of that kind
 */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
  }
  return found;
}
