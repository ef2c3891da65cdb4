package org.vmxsim.testkit.table;

import java.util.List;

/**
 * What EPT and SPPT hold, and the controls that say how they are read. The physical-address width is 46 bits.
 *
 * @param ept paths of the EPT; a later one wins where they share an entry
 * @param sppt paths of the SPPT; a later one wins where they share an entry
 * @param subPageWrite the control "sub-page write permissions for EPT"
 * @param executeOnly whether the processor supports execute-only translations
 */
public record TableContents(List<EptPath> ept, List<SpptPath> sppt, boolean subPageWrite, boolean executeOnly) {
    /** Physical-address width in bits. */
    public static final int WIDTH_BITS = 46;
    /** The address bits of an entry that are beyond the width, hence reserved. */
    public static final long BEYOND_WIDTH = (1L << 52) - (1L << WIDTH_BITS);

    /** Copies the lists. */
    public TableContents {
        ept = List.copyOf(ept);
        sppt = List.copyOf(sppt);
    }

    /**
     * Lays the tables out.
     *
     * @return the tables in memory
     */
    public TableImage image() {
        TableImage image = new TableImage();
        ept.forEach(image::add);
        sppt.forEach(image::add);
        return image;
    }
}
