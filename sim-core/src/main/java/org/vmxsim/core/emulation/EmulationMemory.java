package org.vmxsim.core.emulation;

/**
 * Guest-physical memory as an emulated instruction sees it, supplied by who emulates. All parts of an access are
 * {@linkplain #locate located} before the first of them is loaded or stored; refusing one abandons the instruction
 * without effect. For instruction fetches and guest paging structures the located host-physical address is used, for
 * data only {@link #load} and {@link #store}.
 */
public interface EmulationMemory {
    /** Answer of {@link #locate}: the access must not be made. */
    long REFUSED = -2;
    /** Access bit of {@link #locate}: data is read. */
    int READ = 1;
    /** Access bit of {@link #locate}: data, or a guest paging structure, is written. */
    int WRITE = 2;
    /** Access bit of {@link #locate}: the bytes of the instruction are fetched. */
    int FETCH = 4;
    /** Access bit of {@link #locate}: it is to a guest paging structure. */
    int WALK = 8;

    /**
     * Finds one part of an access.
     *
     * @param gpa guest-physical address of the first byte
     * @param gla guest-linear address that led there
     * @param sizeBytes bytes, all in one page
     * @param access bits {@link #READ}, {@link #WRITE}, {@link #FETCH}, {@link #WALK}; without the last two it is the
     *     data of the instruction
     * @return host-physical address of the first byte; {@link #REFUSED}; or for data that lies in a device any other
     *     negative value
     */
    long locate(long gpa, long gla, int sizeBytes, int access);

    /**
     * Loads data.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8, all in one page
     * @return the value, zero-extended
     */
    long load(long gpa, int sizeBytes);

    /**
     * Stores data.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8, all in one page
     * @param value the value; bits above the size are ignored
     */
    void store(long gpa, int sizeBytes, long value);
}
