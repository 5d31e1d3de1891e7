import { explainEntraRefusal } from "../../../src/credentials/entra-refusal";

describe("a refusal by Microsoft Entra", () => {
  const client = {
    authority: new URL("https://login.test"),
    tenantId: "t-1",
    clientId: "c-1",
    credential: { kind: "secret", secret: "s3cret" } as const,
  };
  const refusal = (aadsts: number, numbers: number[] = [aadsts]) =>
    explainEntraRefusal(
      {
        status: 400,
        headers: {},
        body: JSON.stringify({
          error: "invalid_client",
          error_description: `AADSTS${String(aadsts)}: no.\r\nTrace ID: 1`,
          error_codes: numbers,
        }),
      },
      { client, scope: "x/.default", assertion: undefined },
    );

  it.each([
    [70_021, "ERR_ENTRA_FEDERATION"],
    [700_211, "ERR_ENTRA_FEDERATION"],
    [700_212, "ERR_ENTRA_FEDERATION"],
    [700_213, "ERR_ENTRA_FEDERATION"],
    [7_002_138, "ERR_ENTRA_FEDERATION"],
    [700_024, "ERR_ENTRA_ASSERTION_EXPIRED"],
    [53_003, "ERR_ENTRA_CONDITIONAL_ACCESS"],
    [530_003, "ERR_ENTRA_CONDITIONAL_ACCESS"],
    [700_016, "ERR_ENTRA_CLIENT_UNKNOWN"],
    [7_000_112, "ERR_ENTRA_CLIENT_UNKNOWN"],
    [90_002, "ERR_ENTRA_CLIENT_UNKNOWN"],
    [7_000_215, "ERR_ENTRA_SECRET_REFUSED"],
    [7_000_222, "ERR_ENTRA_SECRET_REFUSED"],
    [700_027, "ERR_ENTRA_SECRET_REFUSED"],
    [500_011, "ERR_ENTRA_RESOURCE_UNKNOWN"],
    [650_057, "ERR_ENTRA_RESOURCE_UNKNOWN"],
    [1, "ERR_ENTRA_REFUSED"],
  ])("by AADSTS%i is %s, by its number or, where that is missing, by its first words", (aadsts, code) => {
    for (const error of [refusal(aadsts), refusal(aadsts, [])]) {
      expect(error.code).toBe(code);
      expect(error.detail).toBe(`AADSTS${String(aadsts)}: no. [scope x/.default, client c-1, tenant t-1]`);
    }
  });
});
