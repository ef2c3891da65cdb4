package org.vmxsim.core.tlb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TranslationContextsTest {
    @Test
    void eachContextHasOneNumberUntilItIsRetired() {
        TranslationContexts contexts = new TranslationContexts();
        Set<Integer> numbers = new HashSet<>();
        for (int vpid = 0; vpid < 5; vpid++) {
            for (int pcid = 0; pcid < 5; pcid++) {
                for (long ep4ta = -1; ep4ta < 0x4000; ep4ta = (ep4ta & ~0xfffL) + 0x1000) {
                    for (int mode = 0; mode < 5; mode++) {
                        int number = contexts.intern(vpid, pcid, ep4ta, mode, 0);
                        assertThat(contexts.intern(vpid, pcid, ep4ta, mode, 0)).isEqualTo(number);
                        numbers.add(number);
                    }
                }
            }
        }
        assertThat(numbers).hasSize(5 * 5 * 5 * 5).hasSize(contexts.used());
        contexts.retire(1, TranslationContexts.ANY, TranslationContexts.ANY_EP4TA);
        assertThat(numbers).doesNotContain(contexts.intern(1, 2, -1, 0, 0));
        assertThat(numbers).contains(contexts.intern(2, 2, -1, 0, 0));
    }

    @Test
    void numbersEnd() {
        TranslationContexts contexts = new TranslationContexts();
        for (int i = 0; i < TranslationContexts.CAPACITY; i++) {
            assertThat(contexts.intern(i, 0, -1, 0, 0)).isEqualTo(i);
        }
        assertThat(contexts.intern(0xffff, 0, -1, 0, 0)).isEqualTo(TranslationContexts.FULL);
        assertThat(contexts.intern(77, 0, -1, 0, 0)).isEqualTo(77);
        contexts.clear();
        assertThat(contexts.intern(77, 0, -1, 0, 0)).isZero();
    }
}
