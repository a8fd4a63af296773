declare namespace Cloudflare {
  interface Env {
    readonly JWT_SECRET: string;
    readonly MODEL_SEED: string;
    readonly MODEL_RUNS: string;
    readonly MODEL_PATH: string;
    readonly USER_SESSION: DurableObjectNamespace<import("./worker.ts").UserSession>;
  }
  interface GlobalProps {
    readonly mainModule: typeof import("./worker.ts");
  }
}
