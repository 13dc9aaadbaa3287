import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** The global `currentBuild`, as far as scripts in the sandbox may ask it: why this build runs. */
public final class CurrentBuild implements Serializable {
    private static final long serialVersionUID = 1L;

    /** One map for each cause, with its class under `_class`; what the real one holds besides is not here. */
    public List<Map<String, Object>> getBuildCauses() {
        return Program.current.build.causes();
    }
}
