/** The gateway with two bugs of the tests: SIGUSR2 leaves a rejection to nobody, SIGHUP throws where nobody catches. */
const { AGENTPOD_GATEWAY_TOKEN: token, SOME_API_KEY: key } = process.env;

process.on("SIGUSR2", () => {
  void Promise.reject(new Error(`a rejection of the tests with ${token} and "bearer.${token}" and ${key}`));
});
process.on("SIGHUP", () => {
  setTimeout(() => {
    throw new Error(`an exception of the tests with ${token}`);
  });
});
await import("../../src/index.ts");
