import groovy.json.JsonSlurper;
import java.io.File;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One build of one job: what the job says, and what has happened so far. */
final class Build {
    /** What of a build survives a restart. */
    static final class State implements Serializable {
        private static final long serialVersionUID = 1L;
        final List<Map<String, Object>> open = new ArrayList<>();
        final List<Map<String, Object>> triggered = new ArrayList<>();
        final List<String> published = new ArrayList<>();
        final List<File> libraries = new ArrayList<>();
        String result = "SUCCESS";
        String error = "";
        boolean aborted;
        int steps;
    }

    final File folder;
    final File harness;
    final Map<String, Object> job;
    State state = new State();

    @SuppressWarnings("unchecked")
    Build(File folder, File harness) {
        this.folder = folder;
        this.harness = harness;
        job = (Map<String, Object>) new JsonSlurper().parse(new File(folder, "job.json"));
    }

    File jenkinsfile() {
        return new File(folder, "Jenkinsfile");
    }

    List<File> libraries() {
        return state.libraries;
    }

    /** The global `scm`: what the job was configured with, and the commit that this build is about. */
    Map<String, Object> scm() {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("$symbol", "scm");
        said.put("remote", job.get("remote"));
        said.put("commit", job.get("commit"));
        said.put("branch", job.get("branch"));
        return said;
    }

    Map<String, Object> params() {
        return map("params");
    }

    /** Why this build runs. */
    List<Map<String, Object>> causes() {
        List<Map<String, Object>> said = new ArrayList<>();
        for (Object name : (List<?>) job.getOrDefault("causes", Collections.emptyList())) {
            said.add(Collections.singletonMap("_class", name));
        }
        return said;
    }

    @SuppressWarnings("unchecked")
    Map<String, Object> map(String key) {
        return (Map<String, Object>) job.getOrDefault(key, Collections.emptyMap());
    }

    /** The innermost open block that sets this, or null. */
    Object inner(String key) {
        for (int at = state.open.size() - 1; at >= 0; at--) {
            if (state.open.get(at).containsKey(key)) {
                return state.open.get(at).get(key);
            }
        }
        return null;
    }

    /** The folder of the work at this point; a step that needs one fails outside of `node`. */
    File here(String step) {
        Object found = inner("folder");
        if (found == null) {
            throw new Failed("Required context class hudson.FilePath is missing: " + step + " outside of node");
        }
        return new File(found.toString());
    }

    /** The variables at this point: the job's, the agent's, and those of the open blocks, the innermost last. */
    @SuppressWarnings("unchecked")
    Map<String, String> variables() {
        Map<String, String> all = new LinkedHashMap<>();
        map("variables").forEach((name, value) -> all.put(name, value.toString()));
        for (Map<String, Object> one : state.open) {
            Map<String, String> more = (Map<String, String>) one.get("environ");
            if (more != null) {
                all.putAll(more);
            }
        }
        return all;
    }
}
