// A picture to add to pages.

/** A picture of a pixel. */
export const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

/** The picture as a file that somebody chooses. */
export const png = (name) => ({ name, mimeType: "image/png", buffer: PIXEL });
