import { authorizeImpersonation } from "../../../src/auth-proxy/nested-impersonation";
import { requestInfoOf, type RequestInfo } from "../../../src/auth-proxy/request-info";
import type { Identity } from "../../../src/identity/identity";
import { defaultIdentityPolicy } from "../../../src/identity/identity-policy";

const caller: Identity = { username: "ci:deployer", groups: ["ci:all"], extra: {} };
const alice: Identity = { username: "alice", groups: [], extra: {} };
const full: Identity = {
  username: "alice",
  groups: ["g1", "g2"],
  uid: "7",
  extra: { "example.com/a": ["x", "y"] },
};
const listPods = requestInfoOf({ method: "GET", target: "/api/v1/namespaces/shop/pods" });

/** verb group/resource/subresource name, as a rule would have to grant it. */
const words = (question: RequestInfo) =>
  question.kind === "non-resource"
    ? `${question.verb} ${question.path}`
    : `${question.verb} ${question.group}/${question.resource}${question.subresource && `/${question.subresource}`} ${question.namespace}/${question.name}`;

function cluster(grants: (question: string) => boolean, options: object = {}) {
  const asked: string[] = [];
  const authorize = (wanted: Identity, asks: RequestInfo = listPods) =>
    authorizeImpersonation(caller, wanted, asks, {
      review: (subject, question) => {
        expect(subject).toBe(caller);
        asked.push(words(question));
        return Promise.resolve({ allowed: grants(words(question)), reason: "" });
      },
      constrained: true,
      policy: defaultIdentityPolicy,
      maxReviews: 64,
      ...options,
    });
  return { asked, authorize };
}
const constrainedForFull = [
  "impersonate-on:user-info:list /pods shop/",
  "impersonate:user-info authentication.k8s.io/users /alice",
  "impersonate:user-info authentication.k8s.io/uids /7",
  "impersonate:user-info authentication.k8s.io/groups /g1",
  "impersonate:user-info authentication.k8s.io/groups /g2",
  "impersonate:user-info authentication.k8s.io/userextras/example.com/a /x",
  "impersonate:user-info authentication.k8s.io/userextras/example.com/a /y",
];
const legacyForFull = [
  "impersonate /users /alice",
  "impersonate authentication.k8s.io/uids /7",
  "impersonate /groups /g1",
  "impersonate /groups /g2",
  "impersonate authentication.k8s.io/userextras/example.com/a /x",
  "impersonate authentication.k8s.io/userextras/example.com/a /y",
];
const deniedBy = (detail: string) =>
  expect.objectContaining({
    code: "ERR_AUTH_PROXY_IMPERSONATION_DENIED",
    detail: expect.stringContaining(detail),
  });

describe("impersonation by a caller", () => {
  it("takes, on a cluster that knows it, the right on the request and on each part of the user", async () => {
    const { asked, authorize } = cluster((question) => constrainedForFull.includes(question));
    await authorize(full);
    expect(asked).toEqual(constrainedForFull);
  });

  it("takes the legacy right on each part elsewhere", async () => {
    const { asked, authorize } = cluster((question) => legacyForFull.includes(question), {
      constrained: false,
    });
    await authorize(full);
    expect(asked).toEqual(legacyForFull);
  });

  it("is refused as soon as one right of either kind is missing", async () => {
    for (const missing of constrainedForFull) {
      const { authorize } = cluster(
        (question) => constrainedForFull.includes(question) && question !== missing,
      );
      await expect(authorize(full)).rejects.toEqual(deniedBy(missing.split(" ")[0]!));
    }
    for (const missing of legacyForFull) {
      const { authorize } = cluster((question) => legacyForFull.includes(question) && question !== missing);
      await expect(authorize(full)).rejects.toMatchObject({ code: "ERR_AUTH_PROXY_IMPERSONATION_DENIED" });
    }
  });

  it("is not granted half by one kind of right and half by the other", async () => {
    const { authorize } = cluster(
      (question) =>
        question === "impersonate /users /alice" ||
        question.includes("user-info") === question.includes("group"),
    );
    await expect(authorize(full)).rejects.toMatchObject({ code: "ERR_AUTH_PROXY_IMPERSONATION_DENIED" });
  });

  it("is granted by the legacy right where the constrained one is missing, as the apiserver has it", async () => {
    const { authorize } = cluster((question) => question === "impersonate /users /alice");
    await authorize(alice);
  });

  it("does not take a constrained right for one on a cluster that knows none", async () => {
    const { asked, authorize } = cluster((question) => question.includes("user-info"), {
      constrained: false,
    });
    await expect(authorize(alice)).rejects.toEqual(deniedBy("impersonate"));
    expect(asked).toEqual(["impersonate /users /alice"]);
  });

  it("asks for the path where the request is for no resource", async () => {
    const { asked, authorize } = cluster(() => true);
    await authorize(alice, requestInfoOf({ method: "GET", target: "/version?timeout=32s" }));
    expect(asked[0]).toBe("impersonate-on:user-info:get /version");
  });

  it("knows a service account for what it is, and by the legacy right alone", async () => {
    const account = { ...alice, username: "system:serviceaccount:shop:web" };
    const policy = { ...defaultIdentityPolicy, allowSystemNames: true };
    const { asked, authorize } = cluster(() => true, { policy });
    await authorize(account);
    expect(asked).toEqual(["impersonate /serviceaccounts shop/web"]);
    asked.length = 0;
    await authorize({ ...alice, username: "system:serviceaccount:Shop:web:x" });
    await authorize({ ...alice, username: "system:node:n1" });
    await authorize({ ...alice, groups: ["system:masters"] });
    await authorize({ ...alice, extra: { scopes: ["x"] } });
    expect(asked).toEqual([
      "impersonate /users /system:serviceaccount:Shop:web:x",
      "impersonate /users /system:node:n1",
      ...["impersonate /users /alice", "impersonate /groups /system:masters"],
      ...["impersonate /users /alice", "impersonate authentication.k8s.io/userextras/scopes /x"],
    ]);
  });

  it.each<[string, Identity, string]>([
    [
      "a part of the cluster",
      { ...alice, username: "system:kube-controller-manager" },
      "ERR_IDENTITY_RESERVED",
    ],
    ["the masters", { ...alice, groups: ["system:masters"] }, "ERR_IDENTITY_RESERVED"],
    ["a name with a control character", { ...alice, username: "a\nb" }, "ERR_IDENTITY_INVALID"],
    [
      "too many groups",
      { ...alice, groups: Array.from({ length: 201 }, String) },
      "ERR_IDENTITY_TOO_MANY_GROUPS",
    ],
  ])(
    "never makes somebody %s, whatever the cluster grants, and does not even ask",
    async (_, wanted, code) => {
      const { asked, authorize } = cluster(() => true);
      await expect(authorize(wanted)).rejects.toMatchObject({ code });
      expect(asked).toEqual([]);
    },
  );

  it("is refused when it would take more reviews than one request may cause", async () => {
    const { asked, authorize } = cluster(() => true, { maxReviews: 12 });
    await expect(authorize(full)).rejects.toEqual(deniedBy("13 reviews, at most 12"));
    expect(asked).toEqual([]);
    await cluster(() => true, { maxReviews: 13 }).authorize(full);
  });

  it("says who lacks which right, in the authorizer's words where it has any", async () => {
    const refused = authorizeImpersonation(caller, full, listPods, {
      review: (_, question) =>
        Promise.resolve({ allowed: words(question) !== legacyForFull[5], reason: "not on Fridays" }),
      constrained: false,
      policy: defaultIdentityPolicy,
      maxReviews: 64,
    });
    await expect(refused).rejects.toEqual(
      deniedBy(
        '"ci:deployer" cannot impersonate resource "userextras/example.com/a" in API group "authentication.k8s.io" named "y": not on Fridays',
      ),
    );
  });
});
