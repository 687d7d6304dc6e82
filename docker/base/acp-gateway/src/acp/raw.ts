import type { SocketHandlers, SocketRequest } from "../http/websockets.ts";
import type { AgentExit, AgentManager, RawAgent, SessionManager } from "../types.ts";
import type { AcpLimits } from "./limits.ts";
import type { AcpSocket } from "./pump.ts";
import { createStallWatch } from "./stall.ts";

type RawDeps = {
  agents: AgentManager;
  sessions: Pick<SessionManager, "attach">;
  workspace: string;
  limits: Pick<AcpLimits, "socketBytes" | "stallMs" | "pingMs">;
};

/** `/acp/raw/:agent`: each socket has a process of its own, and a line of one is a frame of the other. */
export function createRawSockets({ agents, sessions, workspace, limits }: RawDeps) {
  const running = new Set<RawAgent>();

  async function connect({ params }: Pick<SocketRequest, "params">): Promise<SocketHandlers> {
    let socket: AcpSocket | undefined;
    let gone = false;
    const early: string[] = [];

    function onLine(line: string): void {
      if (!socket) return void early.push(line);
      if (socket.send(line) === 0) return socket.close(1011, "a line could not be sent");
      if (socket.getBufferedAmount() < limits.socketBytes) return stall.moved();
      agent.pause();
      stall.watch();
    }

    function room(): void {
      if (gone || !socket || socket.getBufferedAmount() >= limits.socketBytes) return;
      stall.moved();
      agent.resume();
    }

    const stall = createStallWatch({
      unsent: () => socket?.getBufferedAmount() ?? 0,
      full: limits.socketBytes,
      stallMs: limits.stallMs,
      onRoom: room,
      onStall() {
        socket?.close(1013, "the client reads nothing");
        setTimeout(() => socket?.terminate(), 5000).unref();
      },
    });
    const key = `raw:${crypto.randomUUID()}`;
    const agentId = params["agent"] ?? "";
    const agent = await agents.startRaw({ agentId, key, cwd: workspace, env: {} }, { onLine });
    agent.pause();
    running.add(agent);
    // No session knows of it, and yet somebody works here.
    const release = sessions.attach("");
    let pings: Timer | undefined;

    void ended();

    async function ended(): Promise<void> {
      const { code, reason } = closing(await agent.exited);
      running.delete(agent);
      gone = true;
      socket?.close(code, reason);
    }

    return {
      open(opened) {
        socket = opened;
        pings = setInterval(() => void opened.ping(), limits.pingMs);
        for (const line of early.splice(0)) opened.send(line);
        if (gone) opened.close(1011, "the agent has ended");
        else agent.resume();
      },
      message(data) {
        if (typeof data !== "string" || gone) return;
        for (const line of data.split("\n")) if (line.trim() !== "") agent.write(line);
      },
      drain: room,
      close() {
        gone = true;
        stall.end();
        release();
        clearInterval(pings);
        agent.resume();
        void agent.stop();
      },
    };
  }

  return {
    connect,
    count: () => running.size,
    async close(): Promise<void> {
      await Promise.all(Array.from(running, (agent) => agent.stop()));
    },
  };
}

/** What the socket of an ended process is closed with; a reason has 123 bytes at most. */
function closing({ code, signal, asked }: AgentExit): { code: number; reason: string } {
  if (asked || code === 0) return { code: 1000, reason: "the agent has ended" };
  return { code: 1011, reason: `the agent ended ${signal ? `by ${signal}` : `with code ${code}`}` };
}
