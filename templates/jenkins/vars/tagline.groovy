import groovy.json.JsonSlurper

/** The one CI call. Its options, credentials and plugins: docs/how-to/jenkins.md of tagline. */
def call(Map options = [:]) {
    def unknown = options.keySet() - ['agent', 'agents', 'comment', 'credentials', 'git', 'job', 'read', 'self']
    if (unknown) {
        error("tagline() has no option ${unknown.join(', ')}: agent, agents, comment, credentials, git, job, read or self?")
    } else if (options.self) {
        // tagline's own CI: this commit's suite, called by this commit's library
        node(options.agent ?: '') {
            checkout(scm)
            sh(label: 'the suite', script: '.ci/run')
        }
    } else if (env.TAG_NAME) {
        ofTag(options)
    } else {
        ofCommit(options)
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
               isDefault: isDefault, failed: [], environments: [], goesOn: false, reported: false]
    stage('tagline') {
        carryOut(run)
        if (options.comment && env.CHANGE_ID && !env.CHANGE_FORK && run.reported) {
            comment(run)
        }
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
        if (asked.contains(need) || need.contains('credential:') || (need.contains('push') && !run.pushes) ||
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
                attempt(run, 'tagline plan', 'exec "$TAGLINE_BIN" plan -o "$TAGLINE_CALL_DIR/p.json" --json')
            }
            need = run.failed ? null : handedOver(run, folder)
            if (need == null && run.acts) {
                def open = sh(label: 'what is open', returnStdout: true, script: 'exec "$TAGLINE_BIN" plan --event schedule --json')
                run.environments = [] + new JsonSlurper().parseText(open).environments
            }
        }
    }
}

/** Run this agent's part. What the next one must have, the results stashed for it; null where no more than environments wait. */
def handedOver(Map run, String folder) {
    def code = attempt(run, 'tagline run', 'exec sh "$TAGLINE_CALL_DIR/run.sh"', [0, 111])
    def asks = 'exec sh "$TAGLINE_CALL_DIR/run.sh" needs'
    def need = code == 111 ? sh(label: 'which agent goes on', returnStdout: true, script: asks).trim() : ''
    run.goesOn = code == 111 && !(run.isDefault && need.contains('credential:'))
    run.reported = true
    dir(folder) {
        def files = run.goesOn ? 'p.json,state/**' : 'tagline/**'
        stash(name: 'tagline', includes: files, useDefaultExcludes: false, allowEmpty: true)
    }
    return run.goesOn ? need : null
}

/** The report under the pull request, by a part that checks nothing out: what a change brings never meets this token. */
def comment(Map run) {
    node(run.options.agent ?: '') {
        withTagline(run, '', [string(credentialsId: run.options.comment, variable: 'TAGLINE_COMMENT_TOKEN')]) { folder ->
            dir(folder) {
                unstash('tagline')
                attempt(run, 'tagline comment', 'exec "$TAGLINE_BIN" comment tagline')
            }
        }
    }
}

/** One environment, one build at a time: whatever is open there goes on, with that environment's credentials. */
def inEnvironment(String place, Map run) {
    stage("tagline ${place}") {
        lock(resource: "tagline ${run.url} ${place}") {
            onAgent("platform,push,credential:${place}", run, "tagline-${place}") {
                withEnv(["TAGLINE_CALL_ENV=${place}"]) {
                    attempt(run, "tagline ci --env ${place}", 'exec "$TAGLINE_BIN" ci --event schedule ' +
                        '--env "$TAGLINE_CALL_ENV" --report "$TAGLINE_CALL_DIR/tagline-$TAGLINE_CALL_ENV"')
                }
            }
        }
    }
}

/** A failure is kept and told at the end: one environment must not stop another. */
def attempt(Map run, String command, String script, List fine = [0]) {
    def code = sh(label: command, returnStatus: true, script: script)
    if (!fine.contains(code)) {
        run.failed << "${command}: exit code ${code}".toString()
    }
    return code
}

/** The build's commit on an agent that has what is needed. */
def onAgent(String need, Map run, String report, Closure body) {
    def options = run.options
    def have = need.tokenize(',') + (options.agents?.docker ? [] : ['docker'])
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
        withEnv(["TAGLINE_CALL_HAVE=${have.join(',')}", "GIT_COMMIT=${run.commit}", "GIT_BRANCH=${got.GIT_BRANCH ?: ''}"]) {
            sh(label: 'the commit of this build', script: 'git checkout --quiet --detach "$GIT_COMMIT"')
            withTagline(run, report, bound, body)
        }
    }
}

/** tagline, with why this build runs, which Jenkins tells no shell, and TAGLINE_CALL_DIR, whose report is published. */
def withTagline(Map run, String report, List bound, Closure body) {
    def folder = "${pwd(tmp: true)}/tagline".toString()
    def causes = currentBuild.getBuildCauses().collect { cause -> cause._class }.join(',')
    try {
        withEnv(["TAGLINE_CALL_DIR=${folder}", "TAGLINE_BUILD_CAUSES=${causes}", "TAGLINE_BIN=${command(folder)}"]) {
            withCredentials(bound) {
                body(folder)
            }
        }
    } finally {
        dir(folder) {
            if (report) {
                publish(report, run.goesOn)
            }
            deleteDir()
        }
    }
}

/** The path of tagline: bootstrap.sh takes the one that the agent has (TAGLINE_BIN), or makes exactly the locked one. */
def command(String folder) {
    dir(folder) {
        deleteDir()
        writeFile(file: 'bootstrap.sh', text: libraryResource('tagline/bootstrap.sh'))
        writeFile(file: 'bootstrap.lock', text: libraryResource('tagline/bootstrap.lock'))
        writeFile(file: 'run.sh', text: libraryResource('tagline/run.sh'))
        return sh(label: 'get tagline', returnStdout: true, script: 'exec sh ./bootstrap.sh').trim()
    }
}

/** Where people look: each agent's test cases; the last one's report as a page and as files. What is absent is not missed. */
def publish(String report, boolean goesOn) {
    junit(testResults: "${report}/junit.xml", allowEmptyResults: true)
    if (!goesOn) {
        publishHTML(target: [reportName: report, reportDir: report, reportFiles: 'report.html', keepAll: true,
                             alwaysLinkToLastBuild: true, allowMissing: true])
        archiveArtifacts(artifacts: "${report}/**", allowEmptyArchive: true)
    }
}
