package org.vmxsim.vmx.fuzz;

/** What random programs must meet, lest a test of them be empty. */
enum Ingredient {
    /** An exception of an instruction that is not the first of its block. */
    FAULT_IN_MID_BLOCK(1),
    /** One more iteration of a repeated string instruction. */
    REPEATED(1),
    /** An event between two iterations. */
    REPEAT_INTERRUPTED(10),
    /** INVLPG, or a write of CR0, CR3 or CR4. */
    FLUSH(2),
    /** A store that changes code. */
    CODE_WRITTEN(10),
    /** An interrupt or NMI that is taken between blocks. */
    INTERRUPT(1);

    /** In how many programs one is expected at least. */
    final int programsForOne;

    Ingredient(int programsForOne) {
        this.programsForOne = programsForOne;
    }
}
