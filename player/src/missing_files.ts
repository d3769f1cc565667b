/**
 * Handles files of the page that cannot be loaded. The build writes this script into index.html, since a script in a
 * file of its own could be missing as well; its hash is in the router's content security policy.
 *
 * A proxy that strips a path prefix may also serve the page without the slash at the end of its address. All URLs are
 * relative, so nothing is found there, and the page continues at the address with the slash.
 */
{
  /** Whether the server itself redirected to this address, perhaps from the one with the slash. */
  const wasRedirected = (): boolean =>
    performance
      .getEntriesByType('navigation')
      .some((entry) => entry instanceof PerformanceNavigationTiming && entry.redirectCount > 0);

  const paragraph = (...content: (string | Node)[]): HTMLElement => {
    const element = document.createElement('p');
    element.append(...content);
    return element;
  };

  /** Replaces the page's content by an explanation that needs no other file. */
  const explain = (file: string, withSlash: string | undefined): void => {
    const title = document.createElement('h1');
    title.textContent = 'This page could not be loaded';
    const main = document.createElement('main');
    main.style.cssText = 'max-width: 40rem; margin: 20vh auto 0; padding: 1rem; font: 1.0625rem/1.5 system-ui';
    main.append(title, paragraph('A file of this page was not found: ', file));
    if (withSlash !== undefined) {
      const link = document.createElement('a');
      link.href = link.textContent = withSlash;
      main.append(
        paragraph('The address of this page lacks the slash at its end: try ', link, '.'),
        paragraph('If that leads back here, the proxy in front of the server has to serve this address.'),
      );
    }
    main.append(paragraph('Reload the page. If that does not help, send this text to the operator of this page.'));
    document.title = title.textContent;
    document.body.replaceChildren(main);
  };

  let handled = false;
  window.addEventListener(
    'error',
    ({ target }) => {
      const file =
        target instanceof HTMLScriptElement ? target.src : target instanceof HTMLLinkElement ? target.href : undefined;
      if (file === undefined || handled) {
        return;
      }
      handled = true;
      const { origin, pathname, search, hash } = location;
      const isFolder = /\/[^/.]+$/.test(pathname);
      const withSlash = isFolder ? `${origin}${pathname}/${search}${hash}` : undefined;
      if (withSlash !== undefined && !wasRedirected()) {
        location.replace(withSlash);
      } else if (document.readyState === 'loading') {
        document.addEventListener('DOMContentLoaded', () => {
          explain(file, withSlash);
        });
      } else {
        explain(file, withSlash);
      }
    },
    { capture: true },
  );
}
