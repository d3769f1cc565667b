/** How long a button waits for the second click, in milliseconds. */
const CONFIRM_DURATION = 5_000;

/**
 * Makes a button ask before it acts: the first click shows the question, a second one within some seconds acts.
 *
 * @param question - the text that the button has meanwhile
 */
export function confirmFirst(button: HTMLButtonElement, question: string, act: () => void): void {
  const label = button.textContent;
  let timer: number | undefined;
  const calm = (): void => {
    window.clearTimeout(timer);
    timer = undefined;
    button.textContent = label;
    delete button.dataset['asks'];
  };
  button.addEventListener('click', () => {
    if (timer !== undefined) {
      calm();
      act();
      return;
    }
    button.textContent = question;
    button.dataset['asks'] = 'true';
    timer = window.setTimeout(calm, CONFIRM_DURATION);
  });
  button.addEventListener('blur', calm);
}
