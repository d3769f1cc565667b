import icon from '../icon.svg';
import type { Branding } from '../page/branding';
import type { Scheme } from '../page/colours';
import { isRightToLeft } from '../page/direction';
import { isTextKey, type Texts } from '../texts';
import { element, setLabel } from './dom';
import { shortcutText } from './shortcut';

/** Applies the language and its static texts, and an operator's name, logo and colours, to the page. */
export function applyBranding(branding: Branding): void {
  const root = document.documentElement;
  root.lang = branding.texts['page.language'];
  root.dir = isRightToLeft(root.lang) ? 'rtl' : 'ltr';
  for (const scheme of ['light', 'dark'] as const) {
    for (const [part, colour] of Object.entries(branding.colours[scheme])) {
      root.style.setProperty(`--${scheme}-${part.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`, colour);
    }
  }
  writeTexts(branding.texts);
  showLogo(branding.logo);
  element('icon', HTMLLinkElement).href = icon;
  root.dataset['branded'] = 'true';
}

/** Writes the static texts: `data-text` is the key of an element's content, `data-label` that of its label. */
function writeTexts(texts: Texts): void {
  const textOf = (key: string | undefined): string =>
    (key !== undefined && isTextKey(key) ? texts[key] : undefined) ?? '';
  for (const target of document.querySelectorAll<HTMLElement>('[data-text]')) {
    target.textContent = textOf(target.dataset['text']);
  }
  element('stage', HTMLElement).setAttribute('aria-label', shortcutText('page.stage', texts) ?? '');
  for (const target of document.querySelectorAll<HTMLElement>('[data-label]')) {
    const label = textOf(target.dataset['label']);
    if (target instanceof HTMLButtonElement) {
      setLabel(target, label);
    } else {
      target.setAttribute('aria-label', label);
    }
  }
}

function showLogo(logo: Branding['logo']): void {
  const picture = element('logo', HTMLImageElement);
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const show = (): void => {
    const scheme: Scheme = dark.matches ? 'dark' : 'light';
    const file = logo[scheme];
    picture.hidden = file === undefined;
    element('emblem', SVGSVGElement).toggleAttribute('hidden', file !== undefined);
    if (file !== undefined) {
      picture.src = file;
    }
  };
  dark.addEventListener('change', show);
  show();
}
