import { GatewayError } from "../gateway-error.ts";
import type { Socket, SocketHandlers } from "../http/websockets.ts";
import { terminalControl } from "../wire/index.ts";
import type { RunningTerminal } from "./terminal.ts";
import type { Viewer, ViewerSocket } from "./viewer.ts";

const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** One viewer's connection: binary frames are input and output, text frames are control. */
export function terminalSocket(terminal: RunningTerminal, after: number): SocketHandlers {
  let socket: Socket | undefined;
  let viewer: Viewer | undefined;

  function control(text: string): void {
    const parsed = terminalControl.safeParse(jsonOf(text));
    if (parsed.success) terminal.resize(parsed.data);
    else viewer?.tell({ type: "error", message: "send input as binary frames, or {type:resize,columns,rows} as text" });
  }

  return {
    open(opened) {
      socket = opened;
      try {
        viewer = terminal.attach(viewerSocket(opened), after);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        opened.close(TRY_AGAIN_LATER, error.message);
      }
    },
    message(data) {
      if (typeof data === "string") control(data);
      else if (!terminal.write(data)) socket?.close(POLICY_VIOLATION, "the program does not read its input");
    },
    drain: () => viewer?.drained(),
    close() {
      if (viewer) terminal.detach(viewer);
    },
  };
}

function viewerSocket(socket: Socket): ViewerSocket {
  return {
    send: (data) => socket.send(data),
    waiting: () => socket.getBufferedAmount(),
    close: (code, reason) => socket.close(code, reason),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
