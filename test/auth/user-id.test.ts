import { expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";

/**
 * Computed with Python: base64.b32encode(sha256(json.dumps([realm, sub],
 * ensure_ascii=False, separators=(",", ":")))), lower case, without padding.
 * A change here would part every user from their conversation.
 */
test.each([
  ["local", "alice", "u_o33fvxoyt43fdbpvkiws32hmmz3nmwtidyd2hpyuk2wtegmvb2ja"],
  ["local", "bob@example.com", "u_lrc5peyibmefjaylnfiq5etxgambsnkpweppw2kdhqrgilluakka"],
  ["google", "alice", "u_6xnztab2eb4u5ne2b4hcntbr5yxelemxlqn6rgcjnm7ryrle4yba"],
  ["local", 'a"b\\c', "u_sosevljjxnzxxwyyosyhnyjbmhwpcyyg4t4zlzmsylywfdmhhcoq"],
  ["local", "日本語 🙂", "u_ok4jedg6rmnroo34vppkunitcdnpjajfxr2w4cyqcn6w6ftqgtvq"],
  ["a", "bc", "u_iktph5cl4cvpepetnmkupxk6ihjnex7sl43kgfdu5mmfcy47m5iq"],
  ["ab", "c", "u_qjmckampldtzllrnhwg7nkdzkz2vlr3wktu4umdr34x6cj5kt26q"],
  ["local", "x".repeat(255), "u_bnd2yd7paaugbldikmpltz5wryqqnlkhhidlqs5mpytgwicyzbhq"],
])("[A1] names the user of %s and %s the same for ever", async (realm, sub, expected) => {
  expect(await userId(realm, sub)).toBe(expected);
});

test("[A1] names the user of half a surrogate pair too, after its JSON escape", async () => {
  expect(await userId("local", "\ud800")).toBe("u_tbhna2vyedy7vcdebvdvafsdnyk3anbetnkkddyzyzeef2vhci6a");
});

test("[A1] makes names that fit a URL and an object", async () => {
  expect(await userId("local", "../?#\u0000")).toMatch(/^u_[a-z2-7]{52}$/);
});
