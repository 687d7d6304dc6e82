/** Whether the image lives on this host alone: its registry is `localhost`, without a port. */
export function isLocalOnly(imageRef: string): boolean {
  return imageRef.startsWith("localhost/");
}

/** The name the engine lists an image under: what everybody means by default is left out. */
export function listedName(imageRef: string): string {
  return imageRef.replace(/^docker\.io\/(library\/)?/, "");
}
