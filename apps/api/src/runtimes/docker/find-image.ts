import type Dockerode from "dockerode";
import { callEngine } from "./call-engine.ts";

/** The image as this host has it; null when it does not. */
export function findImage(
  docker: Dockerode,
  imageRef: string,
  signal?: AbortSignal,
): Promise<Dockerode.ImageInspectInfo | null> {
  return callEngine(`looking for the image ${imageRef}`, () => docker.getImage(imageRef).inspect(), {
    signal,
    otherwise: { 404: null },
  });
}
