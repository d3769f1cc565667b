/** The settings of every page: it connects and plays without a click, which a test has to do nothing for. */
export const settings = {
  useUrlParams: true,
  initialSettings: { AutoConnect: true, AutoPlayVideo: true, StartVideoMuted: true, HoveringMouse: true },
};
