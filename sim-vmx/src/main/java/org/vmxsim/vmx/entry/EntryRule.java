package org.vmxsim.vmx.entry;

import java.util.List;

/**
 * One check of VM entry.
 *
 * @param title what must hold, in words
 * @param check whether it holds
 */
public record EntryRule(String title, Check check) {
    /** A predicate over what VM entry looks at. */
    @FunctionalInterface
    public interface Check {
        /**
         * Whether the rule holds.
         *
         * @param fields what VM entry looks at
         * @return false if VM entry must fail
         */
        boolean holds(EntryFields fields);
    }

    static EntryRule rule(String title, Check check) {
        return new EntryRule(title, check);
    }

    /**
     * The first rule that does not hold.
     *
     * @param rules the rules, in the order of the checks
     * @param fields what VM entry looks at
     * @return the broken rule, or null if all hold
     */
    public static EntryRule firstBroken(List<EntryRule> rules, EntryFields fields) {
        for (int i = 0; i < rules.size(); i++) {
            EntryRule rule = rules.get(i);
            if (!rule.check.holds(fields)) {
                return rule;
            }
        }
        return null;
    }
}
