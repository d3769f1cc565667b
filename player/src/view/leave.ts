import { element } from './dom';

/** Gives the button in the dock its effect: the session ends, and the streamer is free. */
export function showLeaveButton(leave: () => void): void {
  element('leave', HTMLButtonElement).addEventListener('click', leave);
}
