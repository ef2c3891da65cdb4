package org.vmxsim.core.paging;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("SDM \"Determination of Access Rights\" and \"Protection Keys\", typed row by row")
class PagingControlsTest {
    private static final long CR0 = 0x8001_0001L;
    private static final long WP = 1 << 16;
    private static final long PAE = 1 << 5;
    private static final long PKE = 1 << 22;
    private static final long PKS = 1 << 24;
    private static final long LONG_MODE = 0x500;

    private final PagingControls controls = new PagingControls(46, true);

    @BeforeEach
    void longMode() {
        controls.set(CR0, 0, PAE | PKE | PKS, LONG_MODE, new long[4]);
    }

    private static int access(String letters) {
        int access = 0;
        for (char letter : letters.toCharArray()) {
            access |= switch (letter) {
                case 'r' -> AccessContext.READ;
                case 'w' -> AccessContext.WRITE;
                case 'x' -> AccessContext.FETCH;
                case 'u' -> AccessContext.USER;
                case 's' -> AccessContext.SHADOW_STACK;
                default -> throw new AssertionError(letter);
            };
        }
        return access;
    }

    @ParameterizedTest(name = "{0} to a {1} page: {2}")
    @CsvSource({
        "rs, supervisor, true",
        "ws, supervisor, true",
        "rsu, supervisor, false",
        "wsu, supervisor, false",
        "rs, user, false",
        "ws, user, false",
        "rsu, user, true",
        "wsu, user, true",
        "r, supervisor, true",
        "w, supervisor, false",
        "ru, user, true",
        "wu, user, false",
        "ru, supervisor, false"
    })
    @DisplayName("Shadow-stack pages: read-only for ordinary accesses, open to shadow-stack accesses of their own mode")
    void shadowStackPages(String letters, String page, boolean allowed) {
        int rights = AccessContext.GUEST_SHADOW_STACK | (page.equals("user") ? AccessContext.GUEST_USER : 0);
        assertThat(!controls.forbids(rights, 0, access(letters))).isEqualTo(allowed);
    }

    @ParameterizedTest
    @CsvSource({"rs, 0", "ws, 0", "rs, 2", "ws, 2", "rsu, 1", "wsu, 3"})
    @DisplayName("Shadow-stack accesses to other pages fault, writable ones too")
    void notShadowStackPages(String letters, int rights) {
        assertThat(controls.forbids(rights, 0, access(letters))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        // leaf R/W and D, rights above
        "0x41, 2, true",
        "0x43, 2, false",
        "0x01, 2, false",
        "0x41, 0, false",
        "0x45, 3, true"
    })
    @DisplayName("A shadow-stack page: R/W = 0 and D = 1 in its entry, R/W = 1 in every other")
    void shadowStackEntry(long leaf, int above, boolean shadowStack) {
        assertThat(PagingEntry.shadowStack(leaf, above) != 0).isEqualTo(shadowStack);
    }

    @ParameterizedTest(name = "{0} with AD WD = {1}, CR0.WP = {2}: {3}")
    @CsvSource({
        "ru, 0, 1, true",
        "ru, 1, 1, false",
        "ru, 2, 1, true",
        "wu, 1, 0, false",
        "wu, 2, 0, false",
        "wu, 2, 1, false",
        "r, 1, 0, false",
        "r, 2, 1, true",
        "w, 2, 1, false",
        "w, 2, 0, true",
        "w, 3, 0, false",
        "xu, 3, 1, true"
    })
    @DisplayName("PKRU: a user-mode address with key 9")
    void userKeys(String letters, int disabled, int wp, boolean allowed) {
        controls.set(CR0 & ~WP | wp * WP, 0, PAE | PKE | PKS, LONG_MODE, new long[4]);
        controls.keys(disabled << 18, -1);
        int rights = AccessContext.GUEST_USER | AccessContext.GUEST_WRITABLE;
        assertThat(!controls.forbids(rights, 9, access(letters))).isEqualTo(allowed);
        assertThat(controls.keyForbids(rights, 9, access(letters))).isEqualTo(!allowed);
        assertThat(controls.forbids(rights, 8, access(letters))).isFalse();
    }

    @ParameterizedTest(name = "{0} with AD WD = {1}, CR0.WP = {2}: {3}")
    @CsvSource({
        "r, 0, 1, true",
        "r, 1, 1, false",
        "r, 2, 1, true",
        "w, 1, 0, false",
        "w, 2, 1, false",
        "w, 2, 0, true",
        "x, 3, 1, true"
    })
    @DisplayName("IA32_PKRS: a supervisor-mode address with key 15, which PKRU does not touch")
    void supervisorKeys(String letters, int disabled, int wp, boolean allowed) {
        controls.set(CR0 & ~WP | wp * WP, 0, PAE | PKE | PKS, LONG_MODE, new long[4]);
        controls.keys(-1, disabled << 30);
        int rights = AccessContext.GUEST_WRITABLE;
        assertThat(!controls.forbids(rights, 15, access(letters))).isEqualTo(allowed);
        assertThat(controls.forbids(rights, 14, access(letters))).isFalse();
    }

    @Test
    @DisplayName("Keys count only in IA-32e mode with their bit of CR4")
    void keysNeedTheirBit() {
        int user = AccessContext.GUEST_USER | AccessContext.GUEST_WRITABLE;
        int supervisor = AccessContext.GUEST_WRITABLE;
        controls.set(CR0, 0, PAE | PKS, LONG_MODE, new long[4]);
        controls.keys(-1, -1);
        assertThat(controls.forbids(user, 1, access("ru"))).isFalse();
        assertThat(controls.forbids(supervisor, 1, access("r"))).isTrue();
        controls.set(CR0, 0, PAE | PKE, LONG_MODE, new long[4]);
        controls.keys(-1, -1);
        assertThat(controls.forbids(user, 1, access("ru"))).isTrue();
        assertThat(controls.forbids(supervisor, 1, access("r"))).isFalse();
        controls.set(CR0, 0, PAE | PKE | PKS, 0, new long[4]);
        controls.keys(-1, -1);
        assertThat(controls.forbids(user, 1, access("ru"))).isFalse();
        assertThat(controls.forbids(supervisor, 1, access("r"))).isFalse();
    }
}
