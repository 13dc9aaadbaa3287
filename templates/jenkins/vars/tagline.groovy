import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonSlurper

/** The one CI call. Its options, credentials and plugins: docs/how-to/jenkins.md of tagline. */
def call(Map options = [:]) {
    def unknown = options.keySet() - ['agent', 'agents', 'credentials', 'git', 'job', 'read', 'self']
    if (unknown) {
        error("tagline() has no option ${unknown.join(', ')}: agent, agents, credentials, git, job, read or self?")
    } else if (options.self) {
        ownSuite(options)
    } else if (env.TAG_NAME) {
        ofTag(options)
    } else {
        ofCommit(options)
    }
}

/** tagline's own CI: this commit's suite, called by this commit's library. */
def ownSuite(Map options) {
    node(options.agent ?: '') {
        checkout(scm)
        sh(label: 'the suite', script: '.ci/run')
    }
}

/** A tag is a request: its build runs nothing of the tagged commit, holds no credential, and wakes who may act. */
def ofTag(Map options) {
    def name = env.TAG_NAME
    if (name.startsWith('promote/') || name.startsWith('approve/') || name.contains('#')) {
        wake(options, "${name} asks")
    } else {
        echo("nothing to do: ${name} is no promotion")
    }
}

def wake(Map options, String why) {
    def job = options.job ?: 'main'
    echo("${why}; ${job} acts on it, as a run of the default branch")
    build(job: job, wait: false)
}

/** A branch or a pull request: plan and run. The default branch: then what concerns environments, one by one. */
def ofCommit(Map options) {
    def branch = env.BRANCH_NAME
    def isDefault = !branch || env.BRANCH_IS_PRIMARY == 'true'
    def acts = isDefault && (!options.job || options.job == "/${env.JOB_NAME}".toString())
    def run = [options: options, acts: acts, pushes: isDefault || branch.startsWith('release/'), commit: '', url: '',
               failed: [], environments: []]
    stage('tagline') {
        carryOut(run)
    }
    for (int at = 0; at < run.environments.size(); at++) {
        inEnvironment(run.environments[at], run)
    }
    if (isDefault && !acts) {
        wake(options, 'the default branch has moved')
    }
    if (run.failed) {
        error(run.failed.join('; '))
    }
}

/** Plan once; run on one agent after the other, each with what the step to come needs: a right is given when asked for. */
def carryOut(Map run) {
    def need = ''
    def asked = []
    while (need != null) {
        if (asked.contains(need) || (need.contains('credential:') && !run.acts) || (need.contains('push') && !run.pushes) ||
                (need && env.CHANGE_FORK)) {
            error("tagline run asks for an agent with ${need}, and this build gets no other one")
        }
        asked << need
        onAgent(need, run, 'tagline') { folder ->
            if (need) {
                dir(folder) {
                    unstash('tagline')
                }
            } else {
                record(run, 'tagline plan', sh(label: 'tagline plan', returnStatus: true,
                    script: 'exec "$TAGLINE_BIN" plan -o "$TAGLINE_CALL_DIR/p.json" --json'))
            }
            need = run.failed ? null : handedOver(need, run, folder)
            if (need == null && run.acts) {
                run.environments = environmentsOf(sh(label: 'environments with work', returnStdout: true,
                    script: 'exec "$TAGLINE_BIN" plan --event schedule --json'))
            }
        }
    }
}

@NonCPS
def environmentsOf(String json) {
    def names = []
    names.addAll(new JsonSlurper().parseText(json).environments)
    return names
}

/** Run this agent's part. What the next agent must have, with the results stashed for it; null where all is done. */
def handedOver(String asked, Map run, String folder) {
    def code = 0
    def have = asked.tokenize(',') + (run.options.agents?.docker ? [] : ['docker'])
    withEnv(["TAGLINE_CALL_HAVE=${have.join(',')}"]) {
        // tee outlives the signal of a cancelled build: tagline keeps its output while it tidies up
        code = sh(label: 'tagline run', returnStatus: true, script: '''
            mkfifo "$TAGLINE_CALL_DIR/said"
            (trap '' TERM; tee "$TAGLINE_CALL_DIR/run.txt" < "$TAGLINE_CALL_DIR/said"; : > "$TAGLINE_CALL_DIR/told") &
            exec "$TAGLINE_BIN" run "$TAGLINE_CALL_DIR/p.json" --have "$TAGLINE_CALL_HAVE" \\
                --state "$TAGLINE_CALL_DIR/state" --report "$TAGLINE_CALL_DIR/tagline" > "$TAGLINE_CALL_DIR/said" 2>&1
        ''')
    }
    if (code != 111) {
        record(run, 'tagline run', code)
        return null
    }
    dir(folder) {
        stash(name: 'tagline', includes: 'p.json,state/**', useDefaultExcludes: false)
    }
    return sh(label: 'which agent goes on', returnStdout: true, script: '''
        until [ -e "$TAGLINE_CALL_DIR/told" ]; do sleep 0.1; done
        tail -n 1 "$TAGLINE_CALL_DIR/run.txt" | sed -n 's/^needs-agent: //p'
    ''').trim()
}

/** One environment, one build at a time: whatever is open there goes on, with that environment's credentials. */
def inEnvironment(String place, Map run) {
    stage("tagline ${place}") {
        lock(resource: "tagline ${run.url} ${place}") {
            onAgent("platform,push,credential:${place}", run, "tagline-${place}") {
                withEnv(["TAGLINE_CALL_ENV=${place}"]) {
                    record(run, "tagline ci --env ${place}", sh(label: 'tagline ci', returnStatus: true, script: '''
                        exec "$TAGLINE_BIN" ci --event schedule --env "$TAGLINE_CALL_ENV" \\
                            --report "$TAGLINE_CALL_DIR/tagline-$TAGLINE_CALL_ENV"
                    '''))
                }
            }
        }
    }
}

/** A failure is kept and told at the end: one environment must not stop another. */
def record(Map run, String command, int code) {
    if (code != 0) {
        run.failed << "${command}: exit code ${code}".toString()
    }
}

/** The build's commit on an agent that has what is needed, tagline and TAGLINE_CALL_DIR, whose report is published. */
def onAgent(String need, Map run, String report, Closure body) {
    def options = run.options
    def labels = []
    def id = need.contains('push') ? options.git : (env.CHANGE_FORK ? null : options.read ?: (run.pushes ? options.git : null))
    def bound = id ? [gitUsernamePassword(credentialsId: id, gitToolName: 'Default')] : []
    for (word in need.tokenize(',')) {
        labels += ([gpu: 'gpu'] + (options.agents ?: [:]))[word] ?: []
        if (word.startsWith('credential:')) {
            bound += (options.credentials ?: [:])[word - 'credential:'] ?: []
        }
    }
    node(labels ? labels.join(' && ') : (options.agent ?: '')) {
        def got = checkout(scm)
        run.commit = run.commit ?: got.GIT_COMMIT
        run.url = got.GIT_URL
        def folder = "${pwd(tmp: true)}/tagline".toString()
        withEnv(["TAGLINE_CALL_DIR=${folder}", "GIT_COMMIT=${run.commit}", "GIT_BRANCH=${got.GIT_BRANCH ?: ''}"]) {
            sh(label: 'the commit of this build', script: 'git checkout --quiet --detach "$GIT_COMMIT"')
            try {
                withEnv(["TAGLINE_BIN=${command(folder)}"]) {
                    withCredentials(bound) {
                        body(folder)
                    }
                }
            } finally {
                dir(folder) {
                    publish(report)
                    deleteDir()
                }
            }
        }
    }
}

/** The path of tagline: bootstrap.sh takes the one that the agent has (TAGLINE_BIN), or makes exactly the locked one. */
def command(String folder) {
    dir(folder) {
        deleteDir()
        writeFile(file: 'bootstrap.sh', text: libraryResource('tagline/bootstrap.sh'))
        if (!(env.TAGLINE_BIN || env.TAGLINE_LOCK || env.TAGLINE_WHEELHOUSE)) {
            writeFile(file: 'bootstrap.lock', text: libraryResource('tagline/bootstrap.lock'))
        }
    }
    return sh(label: 'get tagline', returnStdout: true, script: 'exec sh "$TAGLINE_CALL_DIR/bootstrap.sh"').trim()
}

/** Where people look: the test cases, the report as a page, the files; what was not written is not missed. */
def publish(String report) {
    junit(testResults: "${report}/junit.xml", allowEmptyResults: true)
    publishHTML(target: [reportName: report, reportDir: report, reportFiles: 'report.html', keepAll: true,
                         alwaysLinkToLastBuild: true, allowMissing: true])
    archiveArtifacts(artifacts: "${report}/**", allowEmptyArchive: true)
}
