package org.vmxsim.kvmi.device;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.vmxsim.mmu.abi.Errno;

/** A process of a toy kernel: areas, pages by frame, a list of frames that were freed. */
final class ToyProcess extends GuestProcess {
    static final long BUFFER = 0x10_000;
    static final long ARGUMENT = 0x20_010;
    static final long ZERO_FRAME = 0x5000;

    private final TreeMap<Long, Area> areas = new TreeMap<>();
    private final Map<Long, Long> frames = new HashMap<>();
    private final Map<Long, Byte> bytes = new HashMap<>();
    final List<Long> freeFrames = new ArrayList<>();
    Errno lookUpError;
    private long nextFrame = 0x10_0000;

    /** Four pages at BUFFER. */
    ToyProcess() {
        area(BUFFER, 4);
        for (int i = 0; i < 4; i++) {
            page(BUFFER + i * 0x1000L);
        }
    }

    void area(long gva, int pages) {
        areas.put(gva, new Area(gva, gva + pages * 0x1000L));
    }

    long page(long gva) {
        frames.put(gva, nextFrame);
        nextFrame += 0x1000;
        return nextFrame - 0x1000;
    }

    void absent(long gva) {
        frames.remove(gva);
    }

    void zeroPage(long gva) {
        frames.put(gva, ZERO_FRAME);
    }

    long frame(long gva) {
        return frames.get(gva & -PAGE_BYTES);
    }

    /** The kernel moves a page, if it may. */
    boolean migrate(long gva) {
        long old = frame(gva);
        if (isPinned(old)) {
            return false;
        }
        page(gva & -PAGE_BYTES);
        freeFrames.add(old);
        return true;
    }

    /** Puts a request of MAP at {@link #ARGUMENT}. */
    ToyProcess request(int token, long targetGpa, long gva) {
        byte[] argument = argument(token, targetGpa, gva);
        for (int i = 0; i < argument.length; i++) {
            bytes.put(ARGUMENT + i, argument[i]);
        }
        return this;
    }

    /** The 48 bytes, typed out by hand. */
    static byte[] argument(int token, long targetGpa, long gva) {
        byte[] argument = new byte[48];
        for (int i = 0; i < 8; i++) {
            argument[32 + i] = (byte) (targetGpa >>> 8 * i);
            argument[40 + i] = (byte) (gva >>> 8 * i);
        }
        for (int i = 0; i < 32; i++) {
            argument[i] = (byte) (token + i);
        }
        return argument;
    }

    @Override
    protected boolean copyFromUser(long gva, byte[] to) {
        for (int i = 0; i < to.length; i++) {
            if (!bytes.containsKey(gva + i)) {
                return false;
            }
            to[i] = bytes.get(gva + i);
        }
        return true;
    }

    @Override
    protected Area findArea(long gva) {
        return areas.values().stream()
                .filter(area -> area.endGva() > gva)
                .findFirst()
                .orElse(null);
    }

    @Override
    protected PageLookup followPage(long gva) {
        if (lookUpError != null) {
            return PageLookup.failed(lookUpError);
        }
        Long frame = frames.get(gva & -PAGE_BYTES);
        if (frame == null) {
            return PageLookup.NONE;
        }
        return frame == ZERO_FRAME ? PageLookup.zeroPage(frame) : PageLookup.of(frame);
    }

    /** A page of zeros is replaced by one of its own. */
    @Override
    protected PageLookup writablePage(long gva) {
        PageLookup found = followPage(gva);
        return found.presence() == Presence.ZERO_PAGE ? PageLookup.of(page(gva & -PAGE_BYTES)) : found;
    }

    @Override
    protected void dropped(long startGva, long endGva) {
        for (long gva = startGva; gva < endGva && gva < 0x100_0000; gva += PAGE_BYTES) {
            Long frame = frames.remove(gva);
            if (frame != null && frame != ZERO_FRAME && !isPinned(frame)) {
                freeFrames.add(frame);
            }
        }
        areas.values().removeIf(area -> area.startGva() >= startGva && area.endGva() <= endGva);
    }
}
