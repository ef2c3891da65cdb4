package org.vmxsim.mmu.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.TreeMap;

/** Keeps translations of one address space as KVM does, and drops them when it is told, never otherwise. */
final class CachingNotifier implements MmuNotifier {
    record Translation(long hpa, boolean writable) {}

    private final HostMemory host;
    final TreeMap<Long, Translation> translations = new TreeMap<>();
    private int changing;

    CachingNotifier(HostMemory host) {
        this.host = host;
    }

    /** The translation of a page for an access, asked for only if it is not known. */
    Translation translate(long hva, boolean write) {
        Translation known = translations.get(hva);
        if (known == null || write && !known.writable) {
            HostPage page = new HostPage();
            long hpa = host.resolve(hva, write, page);
            if (hpa < 0) {
                return null;
            }
            known = new Translation(hpa, page.writable);
            translations.put(hva, known);
        }
        return known;
    }

    /** Nothing that is known differs from the host's page table. */
    void check() {
        assertThat(changing).as("changes that never ended").isZero();
        HostPage page = new HostPage();
        translations.forEach((hva, known) -> {
            assertThat(host.look(hva, page)).as("unmapped without notice").isTrue();
            long offset = hva - page.size.base(hva);
            assertThat(page.frameHpa + offset)
                    .as("frame changed without notice")
                    .isEqualTo(known.hpa);
            assertThat(page.writable || !known.writable)
                    .as("write permission taken without notice")
                    .isTrue();
        });
    }

    @Override
    public void invalidateRangeStart(long startHva, long endHva) {
        assertThat(startHva & 0xfff | endHva & 0xfff).isZero();
        assertThat(startHva).isLessThan(endHva);
        changing++;
        translations.subMap(startHva, endHva).clear();
    }

    @Override
    public void invalidateRangeEnd(long startHva, long endHva) {
        changing--;
        assertThat(translations.subMap(startHva, endHva)).isEmpty();
    }

    @Override
    public void changePte(long hva, long hpa, boolean writable) {
        assertThat(changing).as("inside a change of a range").isPositive();
        HostPage page = new HostPage();
        host.look(hva, page);
        assertThat(page.frameHpa).isEqualTo(hpa);
        assertThat(page.writable).isEqualTo(writable);
    }

    @Override
    public boolean clearFlushYoung(long startHva, long endHva) {
        return !translations.subMap(startHva, endHva).isEmpty();
    }

    @Override
    public boolean clearYoung(long startHva, long endHva) {
        return false;
    }

    @Override
    public boolean testYoung(long hva) {
        return translations.containsKey(hva);
    }
}
