/**
 * Constrained impersonation grants a verb on a resource. A request that is one thing to the reviewer here and another
 * to the apiserver behind would turn the right to list pods into one to read Secrets: each target must be asked about
 * as what it is, and a grant for anything else must not help.
 */
import { describeOnNodes } from "./fixture/describe-attack";
import { expectCallerAlone } from "./fixture/invariant";
import { http1Text, kinds, sendBytes } from "./fixture/requests";
import { answerReviews, type Attributes, type ReviewSpec } from "./fixture/reviews";

/** Method and target, and what they are: verb, group, version, namespace, resource, subresource, name; or verb, path. */
const readings: readonly (readonly [line: string, reading: string])[] = [
  ["GET /api/v1/namespaces", "list - v1 - namespaces - -"],
  ["GET /api/v1/namespaces/a", "get - v1 a namespaces - a"],
  ["PUT /api/v1/namespaces/a/finalize", "update - v1 a namespaces finalize a"],
  ["PATCH /api/v1/namespaces/a/status", "patch - v1 a namespaces status a"],
  ["GET /api/v1/namespaces/a/pods", "list - v1 a pods - -"],
  ["GET /api/v1/namespaces/a/pods/b", "get - v1 a pods - b"],
  ["GET /api/v1/namespaces/a/secrets/b", "get - v1 a secrets - b"],
  ["GET /api/v1/pods", "list - v1 - pods - -"],
  ["GET /api/v1/namespaces/a/pods/b;watch=1", "get - v1 a pods - b;watch=1"],
  ["POST /api/v1/namespaces/a/pods", "create - v1 a pods - -"],
  ["GET /api/v1/namespaces/a/pods/b/log?follow=1", "get - v1 a pods log b"],
  ["GET /api/v1/namespaces/a/services/b:80/proxy/c/d", "get - v1 a services proxy b:80"],
  ["DELETE /api/v1/namespaces/a/pods/b", "delete - v1 a pods - b"],
  ["DELETE /api/v1/namespaces/a/pods", "deletecollection - v1 a pods - -"],
  ["OPTIONS /api/v1/pods", "- - v1 - pods - -"],
  ["GET /apis/apps/v1/namespaces/a/deployments/b/scale", "get apps v1 a deployments scale b"],
  ["GET /apis/apps/v1/deployments", "list apps v1 - deployments - -"],
  ["GET /api/v1/watch/pods", "watch - v1 - pods - -"],
  ["GET /api/v1/watch/namespaces/a/pods/b?labelSelector=c", "watch - v1 a pods - b"],
  ["GET /api/v1/proxy/namespaces/a/pods/b/status", "proxy - v1 a pods - b"],
  ["GET /api/v1/pods?watch=true", "watch - v1 - pods - -"],
  ["GET /api/v1/pods?watch", "watch - v1 - pods - -"],
  ["GET /api/v1/pods?watch=0&watch=1", "list - v1 - pods - -"],
  ["GET /api/v1/pods?watch=FALSE", "list - v1 - pods - -"],
  ["GET /api/v1/pods?w%61tch=yes", "watch - v1 - pods - -"],
  ["GET /api/v1/pods/b?watch=true", "get - v1 - pods - b"],
  ["GET /api/v1/pods/", "list - v1 - pods - -"],
  ["GET /api//pods", "list - - - pods - -"],
  ["GET //api/v1/pods", "list - v1 - pods - -"],
  ["GET /api/v1//pods", "get - v1 - - - pods"],
  ["GET /api/v1/namespaces/a/../b/secrets", "get - v1 a .. secrets b"],
  ["GET /api/v1/namespaces/a%2Fsecrets", "list - v1 a secrets - -"],
  ["GET /%61pi/v1/secrets", "list - v1 - secrets - -"],
  ["GET /api/v1/secrets%3Fwatch=1", "list - v1 - secrets?watch=1 - -"],
  ["GET /api/v1/namespaces/a%252Fsecrets", "get - v1 a%2Fsecrets namespaces - a%2Fsecrets"],
  ["GET /api/v1/pods?fieldSelector=metadata.name%3Db", "list - v1 - pods - b metadata.name=b -"],
  ["GET /api/v1/pods?fieldSelector=metadata.name==b&limit=5", "list - v1 - pods - b metadata.name==b -"],
  ["GET /api/v1/pods?fieldSelector=metadata.name=b&limit=x1", "list - v1 - pods - - metadata.name=b -"],
  ["GET /api/v1/pods?fieldSelector=metadata.name=b&limit=1x", "list - v1 - pods - - metadata.name=b -"],
  [
    "GET /api/v1/pods?fieldSelector=metadata.name=b&labelSelector=c",
    "list - v1 - pods - - metadata.name=b c",
  ],
  [
    "GET /api/v1/pods?fieldSelector=metadata.name=b,spec.x=y",
    "list - v1 - pods - - metadata.name=b,spec.x=y -",
  ],
  ["GET /api/v1/pods?fieldSelector=xmetadata.name=b", "list - v1 - pods - - xmetadata.name=b -"],
  ["GET /api/v1/pods?fieldSelector=metadata.name=.", "list - v1 - pods - - metadata.name=. -"],
  ["GET /api/v1/pods?fieldSelector=metadata.name=..", "list - v1 - pods - - metadata.name=.. -"],
  ["GET /api/v1/pods/b?fieldSelector=metadata.name=c&labelSelector=d", "get - v1 - pods - b"],
  ["DELETE /api/v1/pods?labelSelector=c", "deletecollection - v1 - pods - - - c"],
  ["GET /api", "get /api"],
  ["GET /api/v1", "get /api/v1"],
  ["GET /apis/apps/v1", "get /apis/apps/v1"],
  ["POST /healthz?verbose", "post /healthz"],
  ["GET /apisx/a/b/c/d", "get /apisx/a/b/c/d"],
];

/** The question as one line, so that a grant is one as well. */
function readingOf({ resourceAttributes: of, nonResourceAttributes: path }: ReviewSpec): string {
  if (path !== undefined) return `${path.verb} ${path.path}`;
  const { verb, group, version, namespace, resource, subresource, name } = of as Attributes;
  const selectors = [of?.fieldSelector?.rawSelector, of?.labelSelector?.rawSelector];
  const parts = [verb, group, version, namespace, resource, subresource, name];
  const all = selectors.some((selector) => selector !== undefined) ? [...parts, ...selectors] : parts;
  return all.map((part) => part || "-").join(" ");
}

const onlyFor = (reading: string) => {
  const [verb = "", ...rest] = reading.split(" ");
  const asked = `impersonate-on:user-info:${verb === "-" ? "" : verb} ${rest.join(" ")}`;
  const parts = ["users - alice", "uids - 7"];
  const granted = [asked, ...parts.map((part) => `impersonate:user-info authentication.k8s.io v1 - ${part}`)];
  return (spec: ReviewSpec) => ({ allowed: granted.includes(readingOf(spec)) });
};

describeOnNodes(
  "a right to act as somebody in one request",
  (proxy) => {
    const reviews = answerReviews(proxy);
    const send = async (line: string) => {
      const [method = "", target = ""] = line.split(" ");
      const kind = { ...kinds[0]![1], method: method as "GET" };
      const { authorization } = proxy.caller;
      const text = http1Text(kind, ["Impersonate-User: alice", "Impersonate-Uid: 7"], {
        authorization,
        target,
      });
      return (await sendBytes(proxy, text)).statuses;
    };

    it.each(readings)("is asked for by what it is: %s", async (line, reading) => {
      reviews.decide = onlyFor(reading);
      expect(await send(line)).toEqual([200]);
      expect(proxy.sent().map(({ method, target }) => `${method} ${target}`)).toEqual([line]);
      expectCallerAlone(proxy.sent()[0]!, { ...proxy.caller, user: "alice", groups: [], uid: "7" });
      proxy.apiserver.forget();
    });

    it.each(readings)("is none in another: %s", async (line, reading) => {
      for (const [, other] of readings.filter(([, one]) => one !== reading).slice(0, 2)) {
        reviews.decide = onlyFor(other);
        expect(await send(line)).toEqual([403]);
      }
      expect(proxy.sent()).toHaveLength(0);
    });

    it.each([
      ["an escape that is none", "/api/v1/pods/%zz"],
      ["a cut escape", "/api/v1/pods/%4"],
      ["bytes that are no UTF-8", "/api/v1/pods/%ff"],
      ["a semicolon in the query, where Go drops the pair", "/api/v1/pods?watch=1;x"],
      ["an escape that is none in the query", "/api/v1/pods?watch=%zz"],
      ["a verb in the path and nothing behind it", "/api/v1/watch"],
    ])("cannot be asked for where the two could read differently: %s", async (_, target) => {
      reviews.decide = () => ({ allowed: true });
      expect(await send(`GET ${target}`)).toEqual([400]);
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ impersonation: { nested: true, constrained: true } }),
);

const named = (part: string) => `impersonate ${part}`;
const constrainedWords = ({ resourceAttributes, nonResourceAttributes }: ReviewSpec) => ({
  allowed: /^impersonate(-on)?:/.test(resourceAttributes?.verb ?? nonResourceAttributes?.verb ?? ""),
});

/** Names for which the cluster has other words, or none: the proxy's request always brings extras along. */
const others: readonly (readonly [lines: readonly string[], part: string])[] = [
  [["Impersonate-User: system:node:a"], "- v1 - users - system:node:a"],
  [["Impersonate-User: system:serviceaccount:a:b"], "- v1 a serviceaccounts - b"],
  [["Impersonate-User: system:serviceaccount:a:b:c"], "- v1 - users - system:serviceaccount:a:b:c"],
  [["Impersonate-User: system:serviceaccount:a"], "- v1 - users - system:serviceaccount:a"],
  [["Impersonate-User: alice", "Impersonate-Group: system:masters"], "- v1 - groups - system:masters"],
  [["Impersonate-User: alice", "Impersonate-Extra-team: x"], "authentication.k8s.io v1 - userextras team x"],
  [
    ["Impersonate-User: alice", "Impersonate-Extra-a_b%2Fteam: x"],
    "authentication.k8s.io v1 - userextras a_b/team x",
  ],
];

describe.each([
  [
    "knows no constrained impersonation",
    false,
    [[["Impersonate-User: alice"], "- v1 - users - alice"], ...others],
  ],
  ["has other words for a name", true, others],
] as const)("where the cluster %s", (_, constrained, rows) => {
  describeOnNodes(
    "a right of that kind",
    (proxy) => {
      const reviews = answerReviews(proxy);
      const send = async (lines: readonly string[]) => {
        const { authorization } = proxy.caller;
        return (await sendBytes(proxy, http1Text(kinds[0]![1], lines, { authorization }))).statuses;
      };

      it.each(rows)("is none for %j", async (lines) => {
        reviews.decide = constrainedWords;
        expect(await send(lines)).toEqual([403]);
        expect(proxy.sent()).toHaveLength(0);
      });

      it.each(rows)("is none beside the right to impersonate %j, and none is needed", async (lines, part) => {
        const granted = [named(part), named("- v1 - users - alice")];
        reviews.decide = (spec) => ({ allowed: granted.includes(readingOf(spec)) });
        expect(await send(lines)).toEqual([200]);
        expect(proxy.sent()).toHaveLength(1);
        proxy.apiserver.forget();
      });
    },
    () => ({ impersonation: { nested: true, constrained, allowSystemNames: true } }),
  );
});

describeOnNodes(
  "the question about a right",
  (proxy) => {
    const reviews = answerReviews(proxy);

    it("is about the whole caller, whose uid and extras may be what a webhook decides by", async () => {
      const asked: ReviewSpec[] = [];
      reviews.decide = (spec) => {
        asked.push(spec);
        return { allowed: false, reason: "not today" };
      };
      const { authorization, user, groups, uid } = proxy.caller;
      const text = http1Text(kinds[0]![1], ["Impersonate-User: alice"], { authorization });
      const answer = await sendBytes(proxy, text);
      expect(answer.statuses).toEqual([403]);
      expect(answer.text).toContain("not today");
      expect(asked[0]).toMatchObject({ user, groups: [...groups, "system:authenticated"], uid });
      expect(asked[0]!.extra).toMatchObject({ "cluster-connect.dev/issuer": [proxy.issuer.url] });
    });
  },
  () => ({ impersonation: { nested: true } }),
);
