import type { Database } from "bun:sqlite";
import type { Provider, SetProviderCredential } from "@agentpod/types";
import { ApiError } from "../http/problem.ts";
import { raiseGenerations } from "../models/project.ts";
import {
  createProviderCredential,
  deleteProviderCredential,
  getProviderCredentials,
  type ProviderCredential,
  revealProviderCredential,
  updateProviderCredential,
} from "../models/provider-credentials.ts";
import { getAllProviders, getEnabledProviders, getProviderById, type Provider as Row } from "../models/provider.ts";
import { RuntimeError } from "../runtimes/runtime.ts";
import { nearest } from "./nearest.ts";
import { providerEnvironment } from "./provider-environment.ts";
import { type SecretBox, SecretBoxError } from "./secret-box.ts";

export type Providers = ReturnType<typeof createProviders>;

/** The providers and their credentials. A value goes in, and out into sandboxes alone. */
export function createProviders({ db, secretBox }: { db: Database; secretBox: SecretBox }) {
  function find(id: string): Row {
    const provider = getProviderById(db, id);
    if (provider !== undefined) return provider;
    const near = nearest(
      id,
      getAllProviders(db).map((known) => known.id),
    );
    const hint = near === undefined ? "GET /api/providers lists them." : `Did you mean '${near}'?`;
    throw new ApiError("provider_not_found", `No provider has this id. ${hint}`);
  }

  function credentialOf(providerId: string, label: string): ProviderCredential | undefined {
    return getProviderCredentials(db, providerId).find((credential) => credential.label === label);
  }

  function store(providerId: string, { label, value }: SetProviderCredential): { isNew: boolean } {
    const old = credentialOf(providerId, label);
    const stored =
      old === undefined
        ? createProviderCredential(db, secretBox, { providerId, label, value })
        : updateProviderCredential(db, secretBox, old.id, { value });
    if (!stored.ok) throw new Error(`the credential was not stored: ${stored.reason}`);
    return { isNew: old === undefined };
  }

  /** The enabled providers, each with the credential that sandboxes get. */
  function* inUse(): Generator<{ provider: Row; credential: ProviderCredential }> {
    for (const provider of getEnabledProviders(db)) {
      const credential = chosen(getProviderCredentials(db, provider.id));
      if (credential) yield { provider, credential };
    }
  }

  function reveal(provider: Row, { id, label }: ProviderCredential): string {
    try {
      return revealProviderCredential(db, secretBox, id) ?? "";
    } catch (error) {
      if (!(error instanceof SecretBoxError)) throw error;
      const fix = `store it again with PUT /api/providers/${provider.id}/credentials, or start the API with the ENCRYPTION_KEY, or the key file, that was in use when it was stored`;
      const message = `the credential '${label}' of the provider ${provider.id} cannot be opened; ${fix}`;
      throw new RuntimeError("rejected", message, { cause: error });
    }
  }

  const toProvider = (row: Row): Provider => {
    const credentials = getProviderCredentials(db, row.id);
    const isGiven = row.isEnabled && credentials.length > 0;
    return {
      ...row,
      environment: isGiven ? Object.keys(providerEnvironment(row, "")) : [],
      credentials: credentials.map(({ label, createdAt, updatedAt }) => ({ label, createdAt, updatedAt })),
    };
  };

  return {
    /** In their order. */
    list: (): Provider[] => getAllProviders(db).map(toProvider),

    /** @throws ApiError `provider_not_found` */
    get: (id: string): Provider => toProvider(find(id)),

    /**
     * Stores a credential, or replaces the one with its label; sandboxes get it when they next start.
     * @throws ApiError `provider_not_found`
     */
    setCredential: (id: string, request: SetProviderCredential): { provider: Provider; isNew: boolean } =>
      db
        .transaction(() => {
          const provider = find(id);
          const { isNew } = store(id, request);
          raiseGenerations(db);
          return { provider: toProvider(provider), isNew };
        })
        .immediate(),

    /**
     * Deletes the credential with the label, or all of the provider.
     * @throws ApiError `provider_not_found`, `credentials_not_found`
     */
    removeCredentials: (id: string, label?: string): void =>
      db
        .transaction(() => {
          find(id);
          const all = getProviderCredentials(db, id);
          const unwanted = label === undefined ? all : all.filter((credential) => credential.label === label);
          if (unwanted.length === 0) {
            const what = label === undefined ? "credential" : "credential with this label";
            throw new ApiError("credentials_not_found", `The provider has no ${what}.`);
          }
          for (const credential of unwanted) deleteProviderCredential(db, credential.id);
          raiseGenerations(db);
        })
        .immediate(),

    /**
     * What every sandbox gets: secret. Of two providers with the same variable the first counts.
     * @throws RuntimeError `rejected` when a credential was sealed with another key
     */
    environment: (): Record<string, string> => {
      const parts = [...inUse()].map(({ provider, credential }) =>
        providerEnvironment(provider, reveal(provider, credential)),
      );
      return Object.assign({}, ...parts.toReversed()) as Record<string, string>;
    },

    /** The values that sandboxes get, as far as they can be opened: what a log must not show. */
    secrets: (): string[] =>
      [...inUse()].flatMap(({ provider, credential }) => {
        try {
          return [reveal(provider, credential)];
        } catch (error) {
          if (error instanceof RuntimeError) return [];
          throw error;
        }
      }),
  };
}

/** The one labelled `default`, else the one stored last. */
function chosen(credentials: readonly ProviderCredential[]): ProviderCredential | undefined {
  return (
    credentials.find(({ label }) => label === "default") ??
    credentials.toSorted((a, b) =>
      a.updatedAt < b.updatedAt || (a.updatedAt === b.updatedAt && a.id < b.id) ? 1 : -1,
    )[0]
  );
}
