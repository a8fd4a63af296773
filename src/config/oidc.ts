/** The variable `OIDC_REALMS`: the identity providers whose tokens are honoured, and what their claims mean here. */
import * as z from "zod/mini";
import { permission, plan } from "../protocol/greeting.ts";
import { isSafeUrl } from "./urls.ts";

/** Signatures by a private key only: a shared secret of a provider would let every holder of it sign (RFC 8725 §3.1). */
export const OIDC_ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;

const NAME_RULE = "must have 1 to 32 characters of a-z, 0-9, _ and -, begin with a letter, and not be local";
const URL_RULE = "must be an https URL without query or fragment (http only on this machine)";
const TEXTS_RULE = "must be a text or a list of texts";
const REALM_RULE =
  "must be an object with name, issuer, audience and, as needed, jwks_url, algorithms, authorized_parties, permissions and plan";
const ALGORITHMS_RULE = `must be some of ${OIDC_ALGORITHMS.join(", ")}`;
const PERMISSIONS_RULE = `must be a list of some of ${permission.options.join(", ")}`;
const VALUES_RULE = "must be an object whose names are values of the claim";
const PLAN_RULE = `must be one of ${plan.options.join(", ")}`;

const text = z.string({ error: "must be a text" }).check(z.minLength(1, "must not be empty"));
const texts = z.pipe(
  z.union([text, z.array(text).check(z.minLength(1, TEXTS_RULE))], { error: TEXTS_RULE }),
  z.transform((value): readonly string[] => (typeof value === "string" ? [value] : value)),
);
const url = z.string({ error: URL_RULE }).check(z.refine(isProviderUrl, { error: URL_RULE }));

const granted = z.array(z.enum(permission.options, { error: PERMISSIONS_RULE }), { error: PERMISSIONS_RULE });
const chosen = z.enum(plan.options, { error: PLAN_RULE });

const REALM = {
  /** Part of every user id of this provider: choose it once, never change it. */
  name: z
    .string({ error: NAME_RULE })
    .check(
      z.refine((value) => /^[a-z][a-z0-9_-]{0,31}$/.test(value) && value !== "local", { error: NAME_RULE }),
    ),
  /** `iss` of its tokens, to the letter; where discovery begins (OpenID Connect Discovery §4). */
  issuer: url,
  /** `aud` of its tokens: our client or API id there, any one of them. */
  audience: texts,
  /** Where its keys are; absent: found by discovery. */
  jwks_url: z.optional(url),
  algorithms: z._default(
    z
      .array(z.enum(OIDC_ALGORITHMS, { error: ALGORITHMS_RULE }), { error: ALGORITHMS_RULE })
      .check(z.minLength(1, "must not be empty")),
    [...OIDC_ALGORITHMS],
  ),
  /** To whom its tokens must have been issued: `azp`, or `client_id` where there is none; absent: to anybody. */
  authorized_parties: z.optional(texts),
  /** Which values of a claim grant what; absent: `chat` and `agents` for everybody, whatever the token says. */
  permissions: z.optional(
    z.strictObject(
      { claim: text, grants: z.record(text, granted, { error: VALUES_RULE }) },
      { error: "must be an object with claim and grants" },
    ),
  ),
  /** Which values of a claim are which plan; absent, or another value: free. */
  plan: z.optional(
    z.strictObject(
      { claim: text, plans: z.record(text, chosen, { error: VALUES_RULE }) },
      { error: "must be an object with claim and plans" },
    ),
  ),
};

const oidcRealm = z.strictObject(REALM, { error: REALM_RULE });

export const oidcRealms = z.array(oidcRealm, { error: "must be a list of realms" }).check(
  z.refine((realms) => isUnique(realms.map(({ name }) => name)), { error: "must not name a realm twice" }),
  z.refine((realms) => isUnique(realms.map(({ issuer }) => issuer)), {
    error: "must not name an issuer twice",
  }),
);

export type OidcSettings = Readonly<z.infer<typeof oidcRealm>>;

/** Keys that come over the open network unencrypted are anybody's keys. */
export function isProviderUrl(value: string): boolean {
  return isSafeUrl(value) && new URL(value).search === "";
}

function isUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
