/** What a connection to the desktop tells: its bytes, and that it is over and why. */
export interface ConnectionEvents {
  data: (chunk: Uint8Array) => DataTaken;
  end: (reason: string) => void;
}

/** Whether more may come at once, or only after `resume`. */
export type DataTaken = "more" | "wait";

export interface Connection {
  /** @returns false when the desktop has not taken what was sent before and nothing more is kept for it */
  send: (chunk: Uint8Array<ArrayBuffer>) => boolean;
  resume: () => void;
  close: () => void;
}

/** The desktop behind the login: its page, and connections to its screen. */
export interface Desktop {
  /** Answers what a logged-in browser asks for; `undefined` when there is no such page. */
  page: (request: Request, path: string) => Response | undefined | Promise<Response | undefined>;
  connect: (events: ConnectionEvents, protocols: readonly string[]) => Connection;
  /** Whether the screen takes connections now. */
  ready: () => Promise<boolean>;
}
