/** Takes a PNG image of the video's current picture in the resolution of the stream; undefined when there is none. */
export async function takeScreenshot(video: HTMLVideoElement): Promise<Blob | undefined> {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  if (context === null || canvas.width === 0) {
    return undefined;
  }
  context.drawImage(video, 0, 0);
  const image = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve);
  });
  return image ?? undefined;
}

/** Saves a file as a download. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads the URL after this task.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 60_000);
}

/** The name of a screenshot's file, with the time of the user's clock. */
export function screenshotName(now: Date): string {
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map(twoDigits).join('-');
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(twoDigits).join('-');
  return `stream-${date}-${time}.png`;
}
