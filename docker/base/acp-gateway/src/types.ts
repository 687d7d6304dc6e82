/** An agent the gateway knows how to start. */
export type AgentEntry = {
  id: string;
  name: string;
  /** Program and arguments that speak the Agent Client Protocol on stdio. */
  command: readonly [string, ...string[]];
};

/** What `GET /v1/agents` says about one entry on this machine. */
export type AgentReport = {
  id: string;
  name: string;
  /** Its program was found on PATH. */
  installed: boolean;
  /** Null when absent, or when the program tells no version. */
  version: string | null;
  command: string[];
};

/** What the gateway was started with; see `loadConfig`. */
export type GatewayConfig = {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  token: string;
  /** Absolute path of an existing folder. */
  workspace: string;
  projectId: string | null;
  image: string | null;
  flavor: string | null;
  addons: string[];
};

/** The variables a gateway or one of its children is given. */
export type Environment = Record<string, string | undefined>;
