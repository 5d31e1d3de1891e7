import {
  closeCodeName,
  closeCodes,
  goAwayCodeName,
  goAwayCodes,
  resetCodeName,
  resetCodes,
} from "../../../src/protocol/codes";

describe("codes", () => {
  it("have these numbers on the wire", () => {
    expect(resetCodes).toEqual({
      targetUnreachable: 1,
      busy: 2,
      refused: 3,
      lost: 4,
      protocol: 5,
      cancelled: 6,
      goingAway: 7,
    });
    expect(goAwayCodes).toEqual({ shuttingDown: 1, credentialExpired: 2, replaced: 3 });
  });

  it.each(Object.entries(resetCodes))("of a reset: %s is read back", (name, code) => {
    expect(resetCodeName(code)).toBe(name);
  });

  it("that are unknown are still a loss, and still a farewell", () => {
    expect(resetCodeName(4_000_000_000)).toBe("lost");
    expect(goAwayCodeName(99)).toBe("shuttingDown");
  });

  it("of a close are ones that RFC 6455 lets us send, but for the one that is never sent", () => {
    for (const [name, code] of Object.entries(closeCodes)) {
      expect(closeCodeName(code)).toBe(name);
      if (name !== "lost")
        expect(code === 1000 || code === 1011 || (code >= 4000 && code <= 4999)).toBe(true);
    }
  });
});
