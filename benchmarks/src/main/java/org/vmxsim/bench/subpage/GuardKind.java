package org.vmxsim.bench.subpage;

/** A kind of guard: the built-in scenario that has it, and how the guest lays buffers out for it. */
enum GuardKind {
    /** No guards: the base line. */
    DENSE("none", "dense", "#666666"),
    /** A closed 128-byte sub-page behind each buffer. */
    SPP("SPP", "subpage", "#1b7837"),
    /** An absent page behind each buffer. */
    PAGES("guard pages", "page", "#2166ac"),
    /** A closed sub-page judged by the hypervisor, which write-protects the whole page. */
    EMULATION("emulation", "subpage", "#b2182b");

    final String title;
    final String layout;
    final String colour;

    GuardKind(String title, String layout, String colour) {
        this.title = title;
        this.layout = layout;
        this.colour = colour;
    }

    String scenario() {
        return "guanary-" + name().toLowerCase(java.util.Locale.ROOT);
    }
}
