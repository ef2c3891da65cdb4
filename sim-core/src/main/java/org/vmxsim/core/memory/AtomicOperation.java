package org.vmxsim.core.memory;

/** What a locked read-modify-write does with the value it finds. */
public enum AtomicOperation {
    /** Adds the operand. */
    ADD,
    /** Logical AND with the operand. */
    AND,
    /** Logical OR with the operand. */
    OR,
    /** Exclusive OR with the operand. */
    XOR,
    /** Puts the operand in its place. */
    EXCHANGE;

    long apply(long found, long operand) {
        return switch (this) {
            case ADD -> found + operand;
            case AND -> found & operand;
            case OR -> found | operand;
            case XOR -> found ^ operand;
            case EXCHANGE -> operand;
        };
    }
}
